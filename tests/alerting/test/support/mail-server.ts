import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** How often a message that waits is told so, in milliseconds: clients give up a silent connection after half a minute. */
const stillWorkingMs = 5_000;

/** An SMTP server on loopback that behaves as badly as a test asks for. */
export class MailServer {
  /** Answers a recipient. */
  answerTo: (address: string) => string = () => "250 OK";
  /** How long a message waits for its answer, in milliseconds. Infinity: until `answerAll`. */
  takesMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<MailServer> {
    const server = new MailServer();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many messages wait for their answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Accepts the waiting messages, and later ones at once. */
  answerAll(): void {
    this.takesMs = 0;
    for (const accept of this.#waiting) accept();
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    let received = "";
    let isMessage = false;
    const reply = (line: string): void => void (socket.writable && socket.write(`${line}\r\n`));
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      for (;;) {
        const end = received.indexOf(isMessage ? "\r\n.\r\n" : "\r\n");
        if (end === -1) return;
        const line = received.slice(0, end);
        received = received.slice(end + (isMessage ? 5 : 2));
        if (isMessage) this.#accept(socket, reply);
        else reply(this.#answer(line));
        isMessage = !isMessage && /^DATA/i.test(line);
      }
    });
    reply("220 mail.example ESMTP");
  }

  #answer(command: string): string {
    const [, recipient] = /^RCPT TO:<(.*?)>/i.exec(command) ?? [];
    if (recipient !== undefined) return this.answerTo(recipient);
    return /^DATA/i.test(command) ? "354 go ahead" : "250 OK";
  }

  /** Accepts a message in time. */
  #accept(socket: Socket, reply: (line: string) => void): void {
    const working = setInterval(() => reply("250-still working"), stillWorkingMs);
    const due = Number.isFinite(this.takesMs) ? setTimeout(() => accept(), this.takesMs) : undefined;
    const forget = (): void => {
      clearInterval(working);
      clearTimeout(due);
      socket.off("close", forget);
      this.#waiting.delete(accept);
    };
    const accept = (): void => {
      forget();
      reply("250 OK");
    };
    this.#waiting.add(accept);
    socket.on("close", forget);
  }
}
