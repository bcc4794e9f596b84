import { connect } from 'node:net';
import { ChunkParser } from './chunk-parser.ts';
import { FrameParser } from './frame-parser.ts';

export interface SubscriberOptions {
  readonly url: string;
  readonly path: string;
  /** After the last of them it has what it wants, and leaves. */
  readonly events: number;
  onOpen(): void;
  onEvent(position: number, bytes: Buffer, at: number): void;
  onDone(): void;
  onError(error: Error): void;
}

/** Reads a stream, and sees to it that the positions come one after the other from 1 on: nothing is skipped, and nothing repeated. */
export function subscribe({ url, path, events, ...on }: SubscriberOptions): void {
  const { hostname, port, host } = new URL(url);
  let isOpen = false;
  let last = 0;
  const frames = new FrameParser((position, bytes, at) => {
    if (position !== last + 1) throw new Error(`a subscriber got ${position} after ${last}`);
    last = position;
    on.onEvent(position, bytes, at);
  });
  const chunks = new ChunkParser((bytes, from, to) => {
    frames.push(bytes, from, to);
    if (!isOpen) on.onOpen();
    isOpen = true;
  });

  const onread = {
    buffer: Buffer.allocUnsafe(65_536),
    callback(bytes: number, buffer: Uint8Array) {
      try {
        chunks.push((buffer as Buffer).subarray(0, bytes));
        if (last >= events) leave();
      } catch (error) {
        on.onError(error as Error);
      }
      return true;
    },
  };
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
  socket.on('error', (error) => on.onError(error));
  socket.on('close', () => {
    if (last < events) on.onError(new Error(`the server closed a stream after ${last} events`));
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);

  function leave(): void {
    if (last > events) throw new Error(`a subscriber got ${last} of ${events} events`);
    socket.destroy();
    on.onDone();
  }
}
