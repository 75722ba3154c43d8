// What the tests share: connecting, waiting, identities.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, credsAuthenticator, errors } from "@nats-io/transport-node";

import { cert } from "./broker.mjs";

export const PATIENCE_MS = 10000;

/** A test that has a deadline. */
export function behaviour(sentence, body) {
  test(sentence, { timeout: 6 * PATIENCE_MS }, body);
}

/** Connects; the connection is closed when the test ends. */
export async function client(t, broker, options = {}) {
  const nc = await connect({ servers: broker.url, timeout: PATIENCE_MS, ...options });
  t.after(() => nc.close());
  return nc;
}

/** Requires that connecting fails for a reason, not for want of an answer. */
export async function refused(broker, options, reason) {
  const attempt = connect({ servers: broker.url, timeout: PATIENCE_MS, reconnect: false, ...options });
  const error = await attempt.then(
    async (nc) => {
      await nc.close();
      assert.fail("the client was let in");
    },
    (error) => error,
  );
  assert.ok(!(error instanceof errors.TimeoutError), "nobody answered");
  if (reason) assert.ok(error instanceof reason, `the reason is ${error}`);
}

/** The next `count` messages, in their order. */
export async function take(sub, count) {
  const messages = [];
  for await (const msg of sub) {
    messages.push(msg);
    if (messages.length === count) break;
  }
  return messages;
}

/** Waits for an event of the connection; ask before causing it. */
export async function event(nc, type) {
  for await (const status of nc.status()) {
    if (status.type === type) return status;
  }
  throw new Error(`the connection ended before ${type}`);
}

/** Requires that this fails because nobody serves the subject. */
export async function nobodyAnswers(request) {
  await assert.rejects(request, (error) =>
    error instanceof errors.NoRespondersError || error.isNoResponders?.());
}

/** Bytes of which no two neighbours repeat. */
export function pattern(size) {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + Math.floor(i / 251)) & 255);
}

export async function isServed(nc) {
  const sub = nc.subscribe("hello", { max: 1 });
  nc.publish("hello", "world");
  const [msg] = await take(sub, 1);
  assert.equal(msg.string(), "world");
}

// ---- identities -----------------------------------------------------------------------------------

/** A JWT of version 2 about `subject`. */
export function jwt(issuer, subject, nats, head = {}) {
  const encode = (bytes) => Buffer.from(bytes).toString("base64url");
  const claims = { iat: 1700000000, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), ...head };
  claims.nats = { version: 2, ...nats };
  const text = [{ typ: "JWT", alg: "ed25519-nkey" }, claims].map((part) => encode(JSON.stringify(part))).join(".");
  return `${text}.${encode(issuer.sign(Buffer.from(text)))}`;
}

const unlimited = { subs: -1, data: -1, payload: -1 };

/** A user's JWT. */
export function userJwt(account, user, nats = {}, head = {}) {
  return jwt(account, user, { type: "user", ...unlimited, ...nats }, head);
}

/** A configuration in which this operator has these accounts: [key pair, more members of its claims]. */
export function operatorConfig(operator, accounts) {
  const limits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const preload = accounts.map(([account, nats]) =>
    `  ${account.getPublicKey()}: "${jwt(operator, account, { type: "account", limits, ...nats })}"\n`
  );
  return `operator: "${jwt(operator, operator, { type: "operator" })}"\nresolver: MEMORY\n` +
    `resolver_preload {\n${preload.join("")}}\n`;
}

/** An authenticator with the content of a .creds file. */
export function creds(user, token) {
  const seed = new TextDecoder().decode(user.getSeed());
  const text =
    `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n` +
    `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  return credsAuthenticator(new TextEncoder().encode(text));
}

/** Options of a client that shows this certificate. */
export function peer(name) {
  return {
    tls: { caFile: cert("ca.pem"), certFile: cert(`${name}.pem`), keyFile: cert(`${name}.key`) },
  };
}

/** The server's side. */
export function tlsBlock(more = "") {
  return `tls { cert_file: "${cert("server.pem")}", key_file: "${cert("server.key")}",
    ca_file: "${cert("ca.pem")}", timeout: 10, ${more} }\n`;
}
