/**
 * How the TypeScript client that `make sdk` generates is used.
 *
 *     .venv/bin/node tests/clients/scenario.ts http://127.0.0.1:8000 \
 *       "$(.venv/bin/python -m app token --subject alice \
 *         --scope "users:register users:read users:write")" \
 *       "$(.venv/bin/python -m app token)"
 *
 * The first token is Alice's, who has no profile yet, the second an administrator's.
 *
 * The generated module holds types only; openapi-fetch makes a client of them. Each call answers
 * `data` or `error`, and the `response` with its status and headers. A refusal is an `error`: a
 * `Problem`, whatever the operation.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import type { paths, Problem, UserProfile, UserSummary, UserSummaryPage } from "diptych-client";
import createClient from "openapi-fetch";

const [, , baseUrl = "http://127.0.0.1:8000", tokenOfAlice, tokenOfAdministrator] = process.argv;
const diptych = clientOf(tokenOfAlice);
const administrator = clientOf(tokenOfAdministrator);
const stranger = createClient<paths>({ baseUrl });
const family = `Liddell${randomUUID().replaceAll("-", "").slice(0, 20)}`;

/** A client that sends this token with every request. */
function clientOf(token = "") {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

/** The service said no; `problem` says why. */
class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }
}

/** The body of an answer, unless the request was refused. */
function expect<Body>(answer: { data?: Body; error?: Problem }): Body {
  if (answer.error) throw new Refused(answer.error);
  assert(answer.data);
  return answer.data;
}

/** A header that the document promises. */
function header(answer: { response: Response }, name: string): string {
  const value = answer.response.headers.get(name);
  assert(value, `${name} is missing`);
  return value;
}

/** Register a user; without an id it becomes the profile that belongs to the token. */
function register(client: typeof diptych, given: string, id?: string) {
  return client.POST("/users", {
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: {
      ...(id && { id }),
      name: `${given} ${family}`,
      email: `${given}@${family}.example.com`,
      avatar_url: `https://images.example.com/${given}.png`,
      bio: "Curious.",
    },
  });
}

/** Give somebody another name and no bio, if they are still as `etag` says. */
function rename(user: UserProfile, name: string, etag: string, key: string) {
  return diptych.PATCH("/users/{user_id}", {
    params: { path: { user_id: user.id }, header: { "If-Match": etag, "Idempotency-Key": key } },
    body: { name, bio: null }, // the avatar is left out, and stays
  });
}

/** Everybody of this name, page by page, the last first. */
async function* summaries(q: string, token: string): AsyncGenerator<UserSummary> {
  let cursor: string | null = null;
  do {
    const page: UserSummaryPage = expect(
      await administrator.GET("/users", {
        params: {
          query: { q, sort: "-name", limit: 2, ...(cursor && { cursor }) },
          header: { "Consistency-Token": token },
        },
      }),
    );
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

const registered = await register(diptych, "Alice");
const alice = expect(registered);
assert.deepEqual([alice.bio, alice.version], ["Curious.", 1]);

// Sent once more under its key, say after a timeout, it is not done once more.
const etag = header(registered, "ETag");
const key = randomUUID();
const renamed = await rename(alice, `Alicia ${family}`, etag, key);
const again = await rename(alice, `Alicia ${family}`, etag, key);
assert.equal(header(again, "Idempotency-Replayed"), "true");
assert.equal(renamed.response.headers.has("Idempotency-Replayed"), false);
assert.deepEqual(expect(again), expect(renamed));

// Reads are served from views; with the token of a write they hold that write.
let token = header(renamed, "Consistency-Token");
const alicia = expect(
  await diptych.GET("/users/{user_id}", {
    params: { path: { user_id: alice.id }, header: { "Consistency-Token": token } },
  }),
);
assert.deepEqual(alicia, expect(renamed));
// The name and the bio are an event each.
assert.deepEqual([alicia.name, alicia.bio, alicia.version], [`Alicia ${family}`, null, 3]);
assert.equal(alicia.avatar_url, alice.avatar_url);
const own = await diptych.GET("/users/me", { params: { header: { "Consistency-Token": token } } });
assert.deepEqual(expect(own), alicia);

for (const given of ["Dinah", "Edith", "Lorina", "Mabel"]) {
  const added = await register(administrator, given, `${given}-${family}`);
  token = header(added, "Consistency-Token");
}
const names: string[] = [];
for await (const each of summaries(family, token)) names.push(each.name);
assert.deepEqual(
  names,
  ["Mabel", "Lorina", "Edith", "Dinah", "Alicia"].map((each) => `${each} ${family}`),
);

const nobody = { params: { path: { user_id: "nobody" } } };
const missing = await administrator.GET("/users/{user_id}", nobody);
assert.deepEqual([missing.error?.status, missing.error?.code], [404, "user-not-found"]);
const taken = await register(administrator, "Mabel", `other-${family}`);
assert.deepEqual([taken.error?.status, taken.error?.code], [409, "email-taken"]);
const stale = await rename(alicia, "Alice", etag, randomUUID());
assert.deepEqual([stale.error?.status, stale.error?.code], [412, "version-mismatch"]);

// What is not hers she may not read, be it there or not.
for (const user_id of [`Mabel-${family}`, "nobody"]) {
  const forbidden = await diptych.GET("/users/{user_id}", { params: { path: { user_id } } });
  assert.deepEqual([forbidden.error?.status, forbidden.error?.code], [403, "forbidden"]);
  assert.match(forbidden.error?.detail ?? "", /users:read:any/);
}
// Without a token nothing is read.
const unknown = await stranger.GET("/users/{user_id}", {
  params: { path: { user_id: alice.id } },
});
assert.deepEqual([unknown.error?.status, unknown.error?.code], [401, "unauthenticated"]);
