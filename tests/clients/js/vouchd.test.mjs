// What a program sees that uses the NATS client for Node.js.
import assert from "node:assert/strict";

import { createUser, fromSeed } from "@nats-io/nkeys";
import { errors, headers, nkeyAuthenticator, tokenAuthenticator } from "@nats-io/transport-node";

import { Broker, cert, reservePort } from "./broker.mjs";
import {
  behaviour,
  client,
  event,
  isServed,
  nobodyAnswers,
  PATIENCE_MS,
  pattern,
  peer,
  refused,
  take,
  tlsBlock,
} from "./client.mjs";

// ---- connection and messages ------------------------------------------------------------------

behaviour("INFO says what the server is and may take", async (t) => {
  const broker = await Broker.start(t, "server_name: gate\nmax_payload: 2048\n");
  const nc = await client(t, broker);
  assert.equal(nc.info.server_name, "gate");
  assert.equal(nc.info.max_payload, 2048);
  assert.equal(nc.info.headers, true);
  assert.equal(nc.info.proto, 1);
  assert.equal(nc.info.port, broker.port);
  assert.equal(nc.info.client_ip, "127.0.0.1");
  assert.match(nc.info.server_id, /^N[A-Z2-7]{55}$/);
  assert.ok((await nc.rtt()) >= 0);
  nc.publish("fits", pattern(2048));
  assert.throws(() => nc.publish("too.large", pattern(2049)), errors.InvalidArgumentError);
  await nc.flush();
  await isServed(nc);
});

behaviour("messages reach those who subscribed, in order", async (t) => {
  const broker = await Broker.start(t);
  const from = await client(t, broker);
  const to = await client(t, broker);
  const count = 20000;
  const all = to.subscribe("orders.>", { max: count });
  const odd = to.subscribe("orders.*.odd", { max: count / 2 });
  await to.flush();
  for (let i = 0; i < count; i++) from.publish(`orders.x.${i % 2 ? "odd" : "even"}`, `${i}`);
  const got = await take(all, count);
  got.forEach((msg, i) => assert.equal(msg.string(), `${i}`));
  assert.equal(got[1].subject, "orders.x.odd");
  assert.equal((await take(odd, count / 2)).length, count / 2);
});

behaviour("large and empty payloads stay as they are", async (t) => {
  const broker = await Broker.start(t);
  const from = await client(t, broker);
  const to = await client(t, broker);
  const sizes = [0, 1, 4095, 4096, 65536, 300000, 1048576];
  const sub = to.subscribe("bytes", { max: sizes.length });
  await to.flush();
  for (const size of sizes) from.publish("bytes", pattern(size));
  const got = await take(sub, sizes.length);
  got.forEach((msg, i) => assert.ok(Buffer.from(pattern(sizes[i])).equals(msg.data), `${sizes[i]} bytes`));
});

behaviour("a client may refuse its own echo", async (t) => {
  const broker = await Broker.start(t);
  const silent = await client(t, broker, { noEcho: true, verbose: true, pedantic: true });
  const other = await client(t, broker);
  const sub = silent.subscribe("talk");
  await silent.flush();
  silent.publish("talk", "mine");
  await silent.flush();
  other.publish("talk", "yours");
  assert.equal((await take(sub, 1))[0].string(), "yours");
});

behaviour("after UNSUB nothing comes, after its maximum neither", async (t) => {
  const broker = await Broker.start(t);
  const nc = await client(t, broker);
  const left = nc.subscribe("news");
  const five = nc.subscribe("five", { max: 5 });
  left.unsubscribe();
  await nc.flush();
  for (let i = 0; i < 10; i++) nc.publish("five", `${i}`);
  const got = [];
  for await (const msg of five) got.push(msg.string());
  assert.deepEqual(got, ["0", "1", "2", "3", "4"]);
  for (const subject of ["news", "five"]) {
    await nobodyAnswers(nc.request(subject, "", { timeout: PATIENCE_MS }));
  }
});

behaviour("headers travel along, with and without a body", async (t) => {
  const broker = await Broker.start(t);
  const from = await client(t, broker);
  const to = await client(t, broker);
  const sub = to.subscribe("with.headers", { max: 2 });
  await to.flush();
  const first = headers();
  first.set("Kind", "a value: with a colon");
  first.append("Many", "first");
  first.append("Many", "second");
  from.publish("with.headers", "body", { headers: first });
  const second = headers();
  second.set("Only", "this");
  from.publish("with.headers", "", { headers: second, reply: "somewhere" });
  const [one, two] = await take(sub, 2);
  assert.equal(one.string(), "body");
  assert.equal(one.headers.get("Kind"), "a value: with a colon");
  assert.deepEqual(one.headers.values("Many"), ["first", "second"]);
  assert.equal(two.data.length, 0);
  assert.equal(two.headers.get("Only"), "this");
  assert.equal(two.reply, "somewhere");
});

// ---- requests -----------------------------------------------------------------------------------

behaviour("a request is answered", async (t) => {
  const broker = await Broker.start(t);
  const service = await client(t, broker);
  const nc = await client(t, broker);
  service.subscribe("double", {
    callback: (_, msg) => msg.respond(`${2 * Number(msg.string())}`, { headers: msg.headers }),
  });
  await service.flush();
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      nc.request("double", `${i}`, { timeout: PATIENCE_MS, noMux: i % 10 === 0 })),
  );
  answers.forEach((msg, i) => assert.equal(msg.string(), `${2 * i}`));
  const withId = headers();
  withId.set("Id", "7");
  const answer = await nc.request("double", "1", { timeout: PATIENCE_MS, headers: withId });
  assert.equal(answer.headers.get("Id"), "7");
});

behaviour("a request may have many answers", async (t) => {
  const broker = await Broker.start(t);
  const nc = await client(t, broker);
  for (const name of ["a", "b", "c"]) {
    const service = await client(t, broker);
    service.subscribe("who", { callback: (_, msg) => msg.respond(name) });
    await service.flush();
  }
  const names = [];
  const answers = await nc.requestMany("who", "", {
    strategy: "count",
    maxMessages: 3,
    maxWait: PATIENCE_MS,
  });
  for await (const msg of answers) names.push(msg.string());
  assert.deepEqual(names.sort(), ["a", "b", "c"]);

  const service = await client(t, broker);
  service.subscribe("list", {
    callback: (_, msg) => ["1", "2", "3", ""].forEach((text) => msg.respond(text)),
  });
  await service.flush();
  const list = [];
  for await (const msg of await nc.requestMany("list", "", { strategy: "sentinel", maxWait: PATIENCE_MS })) {
    list.push(msg.string());
  }
  assert.deepEqual(list.filter((text) => text !== ""), ["1", "2", "3"]);
});

behaviour("a request that nobody serves fails at once", async (t) => {
  const broker = await Broker.start(t);
  const nc = await client(t, broker);
  for (const noMux of [false, true]) {
    await nobodyAnswers(nc.request("nobody", "?", { timeout: PATIENCE_MS, noMux }));
  }
  nc.subscribe("mute");
  await nc.flush();
  await assert.rejects(nc.request("mute", "?", { timeout: 50 }), errors.TimeoutError);
});

behaviour("a queue group shares its messages", async (t) => {
  const broker = await Broker.start(t);
  const from = await client(t, broker);
  const count = 3000;
  const shares = [0, 0, 0];
  let total = 0;
  let finished;
  const all = new Promise((resolve) => (finished = resolve));
  const members = await Promise.all(shares.map(() => client(t, broker)));
  members.forEach((nc, i) =>
    nc.subscribe("work.*", {
      queue: "team",
      callback: () => {
        shares[i]++;
        if (++total === count) finished();
      },
    }));
  await Promise.all(members.map((nc) => nc.flush()));
  for (let i = 0; i < count; i++) from.publish(`work.${i}`);
  await from.flush();
  await all;
  await Promise.all(members.map((nc) => nc.flush()));
  assert.equal(total, count);
  shares.forEach((share) => assert.ok(share > count / 6, `the shares are ${shares}`));
});

// ---- endings ------------------------------------------------------------------------------------

behaviour("drain takes what was under way and closes", async (t) => {
  const broker = await Broker.start(t);
  const from = await client(t, broker);
  const to = await client(t, broker);
  const last = from.subscribe("last.words", { max: 1 });
  const drained = to.subscribe("one");
  let came = 0;
  to.subscribe("all", { callback: () => came++ });
  await Promise.all([to.flush(), from.flush()]);
  for (const text of ["1", "2", "3"]) from.publish("one", text);
  await from.flush();
  await drained.drain();
  from.publish("one", "too late");
  const kept = [];
  for await (const msg of drained) kept.push(msg.string());
  assert.deepEqual(kept, ["1", "2", "3"]);
  assert.equal(to.isClosed(), false);
  for (let i = 0; i < 1000; i++) from.publish("all");
  await from.flush();
  to.publish("last.words", "good bye");
  await to.drain();
  assert.equal(came, 1000);
  assert.ok(to.isClosed());
  assert.equal((await take(last, 1))[0].string(), "good bye");
});

behaviour("a client finds the server again", async (t) => {
  const port = await reservePort();
  let broker = await Broker.start(t, "", port);
  const nc = await client(t, broker, {
    reconnectTimeWait: 10,
    reconnectJitter: 0,
    maxReconnectAttempts: -1,
  });
  const sub = nc.subscribe("still.there");
  await nc.flush();
  const first = nc.info.server_id;
  const lost = event(nc, "disconnect");
  const found = event(nc, "reconnect");
  await broker.stop();
  await lost;
  broker = await Broker.start(t, "", port);
  await found;
  assert.notEqual(nc.info.server_id, first);
  nc.publish("still.there", "new");
  assert.equal((await take(sub, 1))[0].string(), "new");
});

behaviour("a lame duck tells its clients", async (t) => {
  const broker = await Broker.start(t);
  const nc = await client(t, broker, { reconnect: false });
  const told = event(nc, "ldm");
  broker.signal("SIGUSR2");
  assert.match((await told).server, new RegExp(`:${broker.port}$`));
  assert.equal(nc.info.ldm, true);
  await refused(broker, {}, errors.ConnectionError);
  await isServed(nc);
  await broker.stop("SIGINT");
  await nc.closed();
});

// ---- who may come in ----------------------------------------------------------------------------

behaviour("user and password, or a token, open the door", async (t) => {
  const users = await Broker.start(t, `authorization { users: [
    { user: alice, password: "s3cret" }, { user: bob, password: "other" } ] }\n`);
  await isServed(await client(t, users, { user: "alice", pass: "s3cret" }));
  await isServed(await client(t, users, { user: "bob", pass: "other" }));
  await refused(users, { user: "alice", pass: "other" }, errors.AuthorizationError);
  await refused(users, {}, errors.AuthorizationError);

  const token = await Broker.start(t, `authorization { token: "open sesame" }\n`);
  await isServed(await client(t, token, { authenticator: tokenAuthenticator("open sesame") }));
  await refused(token, { token: "open" }, errors.AuthorizationError);
});

behaviour("an nkey opens the door", async (t) => {
  const user = createUser();
  const other = createUser();
  const broker = await Broker.start(t, `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }\n`);
  assert.equal(fromSeed(user.getSeed()).getPublicKey(), user.getPublicKey());
  await isServed(await client(t, broker, { authenticator: nkeyAuthenticator(user.getSeed()) }));
  await refused(broker, { authenticator: nkeyAuthenticator(other.getSeed()) }, errors.AuthorizationError);
  const forger = (nonce) => ({
    nkey: user.getPublicKey(),
    sig: nkeyAuthenticator(other.getSeed())(nonce).sig,
  });
  await refused(broker, { authenticator: forger }, errors.AuthorizationError);
});

// ---- TLS ----------------------------------------------------------------------------------------

async function carriesMuch(nc) {
  const payload = pattern(500000);
  const sub = nc.subscribe("large", { max: 1 });
  nc.publish("large", payload);
  assert.ok(Buffer.from(payload).equals((await take(sub, 1))[0].data));
}

behaviour("TLS protects the connection", async (t) => {
  const broker = await Broker.start(t, tlsBlock());
  const nc = await client(t, broker, { tls: { caFile: cert("ca.pem") } });
  assert.equal(nc.info.tls_required, true);
  await isServed(nc);
  await carriesMuch(nc);
  await refused(broker, { tls: { caFile: cert("other-ca.pem") } });
  await refused(broker, { tls: null });
});

behaviour("TLS may come before INFO", async (t) => {
  const ca = { caFile: cert("ca.pem") };
  const always = await Broker.start(t, tlsBlock("handshake_first: true"));
  await isServed(await client(t, always, { tls: { ...ca, handshakeFirst: true } }));
  const either = await Broker.start(t, tlsBlock("handshake_first: auto"));
  await isServed(await client(t, either, { tls: { ...ca, handshakeFirst: true } }));
  await isServed(await client(t, either, { tls: ca }));
});

behaviour("TLS can demand a certificate of the client", async (t) => {
  const broker = await Broker.start(t, tlsBlock("verify: true"));
  const nc = await client(t, broker, peer("client-good"));
  assert.equal(nc.info.tls_verify, true);
  await isServed(nc);
  await carriesMuch(nc);
  await refused(broker, { tls: { caFile: cert("ca.pem") } });
  await refused(broker, peer("client-other"));
  await refused(broker, peer("client-expired"));
  await isServed(nc);
});
