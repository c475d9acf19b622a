-- The load that wrk makes, and the check of every answer to it.
--
-- wrk ... --script load.lua URL -- SCENARIO FIRST COUNT SEED FILE
--
-- The users are those of people.py: FIRST, FIRST + 1 ... COUNT of them, in random order; for
-- `register_user` FIRST is the number of the first one to register. FILE holds what `list_users`
-- must be answered, byte for byte. The first wrong answer ends the run. At its end a line of JSON
-- says what was measured.

local scenarios = {}
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   scenario = scenarios[arguments[1]]
   first, count = tonumber(arguments[2]), tonumber(arguments[3])
   seed = tonumber(arguments[4])
   math.randomseed(seed)
   sent, right, wrong = 0, 0, ""
   if arguments[5] then
      local file = assert(io.open(arguments[5], "rb"))
      expected = file:read("*a")
      file:close()
   end
end

function request()
   sent = sent + 1
   return scenario.request()
end

function response(status, headers, body)
   if status == scenario.status and scenario.is_right(body) then
      right = right + 1
   elseif wrong == "" then
      wrong = status .. ": " .. body
      wrk.thread:stop()
   end
end

function done(summary, latency, requests)
   local total, first_wrong = 0, ""
   for _, thread in ipairs(threads) do
      total = total + thread:get("right")
      if first_wrong == "" then first_wrong = thread:get("wrong") end
   end
   local errors = summary.errors
   io.write(string.format(
      '\n{"right": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "broken": %d, "wrong": "%s"}\n',
      total, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.timeout,
      first_wrong:sub(1, 300):gsub('[%c"\\]', " ")))
end

local JSON = { ["Content-Type"] = "application/json" }

local function anybody()
   return string.format("%06d", first + math.random(count) - 1)
end

-- Whether the body is the profile of one user and no mixture; the number in its name.
local function profile(body, id)
   local in_id, name, in_email, in_avatar = body:match(
      '^{"id":"' .. id .. '","name":"([^"]+)","email":"[%a.]+(%d+)@example%.com",'
      .. '"avatar_url":"https://avatars%.example%.com/(%d+)%.png","bio":null,"status":"active",'
      .. '"version":%d+,"created_at":"[^"]+","updated_at":"[^"]+"}$')
   return in_id, name, in_email, in_avatar
end

scenarios.get_user = {
   status = 200,
   request = function()
      return wrk.format("GET", "/users/user-" .. anybody())
   end,
   is_right = function(body)
      local number, name, in_email, in_avatar = profile(body, "user%-(%d+)")
      return number and number == in_email and number == in_avatar and name:find(number, 1, true)
   end,
}

scenarios.list_users = {
   status = 200,
   request = function()
      return wrk.format("GET", "/users")
   end,
   is_right = function(body)
      return body == expected
   end,
}

-- Pages of 11 to 30 users, so that few who ask at once ask for the same.
scenarios.list_users_apart = {
   status = 200,
   request = function()
      return wrk.format("GET", "/users?limit=" .. 10 + math.random(20))
   end,
   is_right = function(body)
      local _, users = body:gsub('"id":"user%-%d+","name":"[^"]+","avatar_url":"[^"]+"', "")
      return users > 10 and users <= 30
   end,
}

-- Another surname for each request: names are given names, surnames and a number, as those in
-- people.py are, so that the views have as much to do as they have for people.
local function surname()
   local rest, letters = (sent * 7919 + seed * 104729) % 26 ^ 5, {}
   for each = 1, 5 do
      letters[each] = string.char(97 + rest % 26)
      rest = math.floor(rest / 26)
   end
   return (table.concat(letters):gsub("^%l", string.upper))
end

local function update(number)
   local body = string.format('{"name": "Ada %s %s"}', surname(), number)
   return wrk.format("PUT", "/users/user-" .. number, JSON, body)
end

local function is_updated(body)
   local number, name, in_email, in_avatar = profile(body, "user%-(%d+)")
   return number and number == in_email and number == in_avatar
      and name:match("^Ada %u%l+ " .. number .. "$")
end

scenarios.update_user = {
   status = 200,
   request = function() return update(anybody()) end,
   is_right = is_updated,
}

-- Each user, in their order, and again from the first. wrk asks for a first request that it does
-- not send.
scenarios.update_each_user = {
   status = 200,
   request = function() return update(string.format("%06d", first + (sent - 2) % count)) end,
   is_right = is_updated,
}

scenarios.register_user = {
   status = 201,
   request = function()
      local number = string.format("%06d", first + sent - 1)
      local body = string.format(
         '{"name": "Ada Lovelace %s", "email": "ada.lovelace.%s@example.com", '
         .. '"avatar_url": "https://avatars.example.com/%s.png"}', number, number, number)
      return wrk.format("POST", "/users", JSON, body)
   end,
   is_right = function(body)
      local id, name, in_email, in_avatar = profile(body, '([%w-]+)')
      return id and in_email == in_avatar and name == "Ada Lovelace " .. in_email
   end,
}
