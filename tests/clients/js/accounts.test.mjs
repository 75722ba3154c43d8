// Accounts, what they share, mapped subjects, permissions and identities, seen by the NATS client for Node.js.
import assert from "node:assert/strict";

import { createAccount, createOperator, createUser } from "@nats-io/nkeys";
import { errors, nkeyAuthenticator } from "@nats-io/transport-node";

import { Broker } from "./broker.mjs";
import {
  behaviour,
  client,
  creds,
  event,
  isServed,
  nobodyAnswers,
  operatorConfig,
  PATIENCE_MS,
  peer,
  refused,
  take,
  tlsBlock,
  userJwt,
} from "./client.mjs";

const SHOP = `accounts {
  SHOP { users: [ { user: shop, password: pw } ]
    exports: [ { stream: "prices.>" }, { stream: "offers.*.>", account_token_position: 2 }
      { service: "stock.*" }, { service: history, response_type: stream }
      { stream: "inner.>", accounts: [DESK] } ] }
  DESK { users: [ { user: desk, password: pw } ]
    imports: [ { stream: { account: SHOP, subject: "prices.>" }, prefix: shop }
      { stream: { account: SHOP, subject: "inner.*.*" }, to: "swapped.$2.$1" }
      { stream: { account: SHOP, subject: "offers.DESK.>" } }
      { service: { account: SHOP, subject: "stock.apples" }, to: "how.many" }
      { service: { account: SHOP, subject: history } } ] }
  ALONE { users: [ { user: alone, password: pw } ] }
}
`;

async function login(t, broker, user) {
  return client(t, broker, { user, pass: "pw" });
}

/** What arrived until now, as "subject: text". */
async function heard(nc, sub) {
  await nc.flush();
  await sub.drain();
  const all = [];
  for await (const msg of sub) all.push(`${msg.subject}: ${msg.string()}`);
  return all;
}

// ---- accounts -----------------------------------------------------------------------------------

behaviour("streams cross to the account that imports them, and to no other", async (t) => {
  const broker = await Broker.start(t, SHOP);
  const [shop, desk, alone] = await Promise.all(["shop", "desk", "alone"].map((user) => login(t, broker, user)));
  const listeners = [shop, desk, alone].map((nc) => [nc, nc.subscribe(">")]);
  await Promise.all([shop.flush(), desk.flush(), alone.flush()]);
  const said = {
    "prices.apple": "1",
    "inner.left.right": "2",
    "offers.DESK.pear": "3",
    "offers.ALONE.pear": "4",
    private: "5",
  };
  for (const [subject, text] of Object.entries(said)) shop.publish(subject, text);
  await shop.flush();
  const [atShop, atDesk, atAlone] = await Promise.all(listeners.map(([nc, sub]) => heard(nc, sub)));
  assert.deepEqual(atShop, Object.entries(said).map(([subject, text]) => `${subject}: ${text}`));
  assert.deepEqual(atDesk, ["shop.prices.apple: 1", "swapped.right.left: 2", "offers.DESK.pear: 3"]);
  assert.deepEqual(atAlone, []);
});

behaviour("services of another account answer, once or in many messages", async (t) => {
  const broker = await Broker.start(t, SHOP);
  const [shop, desk] = await Promise.all(["shop", "desk"].map((user) => login(t, broker, user)));
  const patient = { timeout: PATIENCE_MS };
  await nobodyAnswers(desk.request("how.many", "?", patient));
  shop.subscribe("stock.*", { callback: (_, msg) => msg.respond(`${msg.subject}: ${msg.string()}`) });
  shop.subscribe("history", {
    callback: (_, msg) => ["first", "second", "", "too late"].forEach((page) => msg.respond(page)),
  });
  await shop.flush();
  for (const noMux of [false, true]) {
    const answer = await desk.request("how.many", "are left?", { ...patient, noMux });
    assert.equal(answer.string(), "stock.apples: are left?");
  }
  await nobodyAnswers(desk.request("stock.apples", "?", patient)); // it has another name here

  const pages = [];
  const answers = await desk.requestMany("history", "", { strategy: "sentinel", maxWait: PATIENCE_MS });
  for await (const msg of answers) pages.push(msg.string());
  assert.deepEqual(pages.filter((page) => page !== ""), ["first", "second"]);
});

behaviour("subjects are mapped by name, by token, by hash and by lot", async (t) => {
  const count = 2000;
  const broker = await Broker.start(t, `mappings = {
    plain: target
    "swap.*.*": "swapped.{{wildcard(2)}}.{{wildcard(1)}}"
    "shard.*": "shard.{{partition(3,1)}}.{{wildcard(1)}}"
    canary: [ { destination: canary.v1, weight: 80% }, { destination: canary.v2, weight: 20% } ]
  }\n`);
  const nc = await client(t, broker);
  const all = nc.subscribe(">");
  nc.publish("plain", "1");
  nc.publish("swap.a.b", "2");
  for (let i = 0; i < count; i++) nc.publish("canary");
  for (let i = 0; i < count; i++) nc.publish(`shard.k${i % 100}`);
  const messages = await heard(nc, all);
  assert.deepEqual(messages.slice(0, 2), ["target: 1", "swapped.b.a: 2"]);
  assert.equal(messages.length, 2 + 2 * count);

  const tests = messages.slice(2, 2 + count).filter((text) => text === "canary.v2: ").length;
  assert.ok(tests > count / 10 && tests < count * 3 / 10, `${tests} of ${count} are not 20 %`);
  const shards = messages.slice(2 + count).map((text) => /^shard\.([012])\.(k\d+): $/.exec(text));
  const shardOf = {};
  for (const [, shard, key] of shards) assert.equal(shardOf[key] ??= shard, shard);
  assert.equal(new Set(Object.values(shardOf)).size, 3);
});

// ---- permissions --------------------------------------------------------------------------------

behaviour("what is not permitted is refused, and the rest goes on", async (t) => {
  const broker = await Broker.start(t, `authorization { users: [ { user: a, password: b, permissions: {
    publish: "open.>", subscribe: { allow: ["open.>", "hello", "team q1"] } } } ] }\n`);
  const nc = await client(t, broker, { user: "a", pass: "b" });

  const reported = event(nc, "error");
  nc.publish("closed.door");
  const { error } = await reported;
  assert.ok(error instanceof errors.PermissionViolationError, `the error is ${error}`);
  assert.equal(error.message, 'Permissions Violation for Publish to "closed.door"');
  assert.equal(error.operation, "publish");
  assert.equal(error.subject, "closed.door");

  const refusals = [
    nc.subscribe("closed.door").closed,
    nc.subscribe("team", { queue: "q2" }).closed,
  ];
  const [plain, queue] = await Promise.all(refusals);
  assert.ok(plain instanceof errors.PermissionViolationError, `the reason is ${plain}`);
  assert.equal(plain.operation, "subscription");
  assert.equal(plain.subject, "closed.door");
  assert.ok(queue instanceof errors.PermissionViolationError, `the reason is ${queue}`);
  assert.equal(queue.queue, "q2");

  const sub = nc.subscribe("open.door", { max: 1 });
  nc.publish("open.door", "come in");
  assert.equal((await take(sub, 1))[0].string(), "come in");
});

behaviour("who may only answer answers once", async (t) => {
  const broker = await Broker.start(t, `authorization { users: [ { user: root, password: pw }
    { user: service, password: pw, permissions: { subscribe: ask, allow_responses: true } } ] }\n`);
  const [root, service] = await Promise.all(["root", "service"].map((user) => login(t, broker, user)));
  const answers = root.subscribe("answers.*");
  service.subscribe("ask", { callback: (_, msg) => ["once", "twice"].forEach((text) => msg.respond(text)) });
  await Promise.all([root.flush(), service.flush()]);
  const reported = event(service, "error");
  root.publish("ask", "?", { reply: "answers.1" });
  const { error } = await reported;
  assert.ok(error instanceof errors.PermissionViolationError, `the error is ${error}`);
  assert.equal(error.message, 'Permissions Violation for Publish to "answers.1"');
  assert.deepEqual(await heard(root, answers), ["answers.1: once"]);
});

// ---- identities ---------------------------------------------------------------------------------

behaviour("an nkey belongs to the account that lists it", async (t) => {
  const [left, right] = [createUser(), createUser()];
  const broker = await Broker.start(t, `accounts {
    L { users: [ { nkey: ${left.getPublicKey()} } ] }
    R { users: [ { nkey: ${right.getPublicKey()} } ] } }\n`);
  const as = (user) => client(t, broker, { authenticator: nkeyAuthenticator(user.getSeed()) });
  const [inLeft, alsoLeft, inRight] = [await as(left), await as(left), await as(right)];
  const [atLeft, atRight] = [alsoLeft.subscribe("news"), inRight.subscribe("news")];
  await Promise.all([alsoLeft.flush(), inRight.flush()]);
  inLeft.publish("news", "from the left");
  await inLeft.flush();
  assert.deepEqual(await heard(alsoLeft, atLeft), ["news: from the left"]);
  assert.deepEqual(await heard(inRight, atRight), []);
  await refused(broker, { authenticator: nkeyAuthenticator(createUser().getSeed()) }, errors.AuthorizationError);
});

behaviour("credentials of an operator's account open the door", async (t) => {
  const [operator, account, user, other] = [createOperator(), createAccount(), createUser(), createUser()];
  const broker = await Broker.start(t, operatorConfig(operator, [[account, {}]]));
  const good = userJwt(account, user);
  const isRefused = (key, token) => refused(broker, { authenticator: creds(key, token) }, errors.AuthorizationError);

  const nc = await client(t, broker, { authenticator: creds(user, good) });
  await isServed(nc);
  await nc.flush();
  await isRefused(other, good);
  await isRefused(user, userJwt(account, user, {}, { exp: 1 }));
  await isRefused(user, userJwt(createAccount(), user));
  const limited = await client(t, broker, {
    authenticator: creds(user, userJwt(account, user, { pub: { deny: ["secret"] } })),
  });
  const failed = event(limited, "error");
  limited.publish("secret");
  assert.ok((await failed).error instanceof errors.PermissionViolationError);
});

behaviour("an operator's accounts import from each other", async (t) => {
  const [operator, shop, desk, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const broker = await Broker.start(t, operatorConfig(operator, [
    [shop, {
      exports: [
        { name: "prices", subject: "prices.>", type: "stream" },
        { name: "stock", subject: "stock", type: "service", response_type: "Singleton" },
      ],
      mappings: { old: [{ subject: "prices.old", weight: 100 }] },
    }],
    [desk, {
      imports: [
        { name: "p", account: shop.getPublicKey(), subject: "prices.>", local_subject: "shop.>", type: "stream" },
        { name: "s", account: shop.getPublicKey(), subject: "stock", local_subject: "how.many", type: "service" },
      ],
    }],
  ]));
  const as = (account) => client(t, broker, { authenticator: creds(user, userJwt(account, user)) });
  const [atShop, atDesk] = [await as(shop), await as(desk)];
  const all = atDesk.subscribe("shop.>");
  atShop.subscribe("stock", { callback: (_, msg) => msg.respond("seven") });
  await Promise.all([atShop.flush(), atDesk.flush()]);
  atShop.publish("prices.apple", "1");
  atShop.publish("old", "2");
  await atShop.flush();
  assert.equal((await atDesk.request("how.many", "", { timeout: PATIENCE_MS })).string(), "seven");
  assert.deepEqual(await heard(atDesk, all), ["shop.apple: 1", "shop.old: 2"]);
});

behaviour("the certificate says who the client is", async (t) => {
  const broker = await Broker.start(t, tlsBlock("verify_and_map: true") + `accounts {
    MAIL { users: [ { user: "client-good@test" } ] }
    NAME { users: [ { user: "client-noaia.test" } ] }
    DN { users: [ { user: "CN=client-unlisted,O=Vouch Test" } ] } }\n`);
  const users = { MAIL: "client-good", NAME: "client-noaia", DN: "client-unlisted" };
  for (const [account, name] of Object.entries(users)) {
    const nc = await client(t, broker, peer(name));
    await isServed(nc);
    const info = await nc.request("$SYS.REQ.USER.INFO", "", { timeout: PATIENCE_MS });
    assert.equal(info.json().data.account, account);
  }
  await refused(broker, { ...peer("client-revoked"), user: "client-good@test" }, errors.AuthorizationError);
});
