// The account of the service: it reads and writes its own database, and no other.
db.getSiblingDB("admin").createUser({
  user: "diptych",
  pwd: process.env.MONGODB_PASSWORD,
  roles: [{ role: "readWrite", db: "diptych" }],
});
