import { ProgressBar } from './publish/progress-bar.ts';

const MIB = 1024 ** 2;

/** How far a copy of some bytes is, in MiB. */
export class CopyProgress {
  #bar: ProgressBar | undefined;

  readonly show = (bytesDone: number, bytesTotal: number): void => {
    this.#bar ??= new ProgressBar(process.stderr, Math.max(1, Math.round(bytesTotal / MIB)));
    this.#bar.update(Math.round(bytesDone / MIB));
  };

  end(): void {
    this.#bar?.clear();
  }
}
