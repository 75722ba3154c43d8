// Starts the server under test on 127.0.0.1 and stops it by its process id. VOUCH_SERVER names the binary.
// One that does not leave with status 0, as when a sanitizer reported something, fails the test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PATIENCE_MS = 10000;
const LISTENING = /Listening for client connections on 127\.0\.0\.1:(\d+)/;

/** The path of a certificate or key made by tests/certs/make.sh. */
export function cert(name) {
  return join(process.env.VOUCH_CERTS, name);
}

/** A port that is free and that Linux gives to nobody who asks for just any. */
export async function reservePort() {
  for (let i = 0; i < 1000; i++) {
    const port = 20000 + ((process.pid * 7 + i) % 12000);
    const probe = createServer();
    try {
      probe.listen(port, "127.0.0.1");
      await once(probe, "listening");
    } catch {
      continue;
    }
    probe.close();
    await once(probe, "close");
    return port;
  }
  throw new Error("no port is free");
}

export class Broker {
  #process;
  #folder;
  #said = "";
  #left;
  port;

  /** Starts a server, which the test `t` stops at its end if nobody did before. */
  static async start(t, config = "", port = -1) {
    const broker = new Broker();
    broker.#folder = await mkdtemp(join(tmpdir(), "vouch-js-"));
    const path = join(broker.#folder, "server.conf");
    await writeFile(path, `listen: "127.0.0.1:${port}"\n${config}`);
    broker.#process = spawn(process.env.VOUCH_SERVER, ["-c", path], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    broker.#left = once(broker.#process, "close");
    t.after(() => broker.#putAway());
    await broker.#ready();
    return broker;
  }

  async #ready() {
    const stderr = this.#process.stderr.setEncoding("utf8");
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    stderr.on("data", (piece) => (this.#said += piece));
    while (!this.#said.includes("Server is ready")) {
      try {
        await Promise.race([
          once(stderr, "data", { signal: deadline }),
          this.#left.then(() => Promise.reject(new Error("the server left"))),
        ]);
      } catch (cause) {
        throw new Error(`the server did not become ready:\n${this.#said}`, { cause });
      }
    }
    this.port = Number(LISTENING.exec(this.#said)[1]);
  }

  get url() {
    return `127.0.0.1:${this.port}`;
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** Sends the signal and requires that the server leaves with status 0. */
  async stop(name = "SIGTERM") {
    this.signal(name);
    const [status, by] = await this.#left;
    assert.deepEqual([status, by], [0, null], `the server said:\n${this.#said}`);
  }

  async #putAway() {
    const runs = this.#process.exitCode === null && this.#process.signalCode === null;
    try {
      if (runs) await this.stop();
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}
