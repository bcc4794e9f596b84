/** What a server tells of its key index. */
export interface KeyStats {
  /** Keys in sealed files. */
  readonly sealedKeys: number;
  /** Memory that is held for them. */
  readonly sealedBytes: number;
}

export async function keyStats(url: string): Promise<KeyStats> {
  const stats = (await (await fetch(`${url}/queue/stats`)).json()) as Record<string, number>;
  return {
    sealedKeys: stats['sealed_key_count'] ?? Number.NaN,
    sealedBytes: stats['sealed_key_bytes'] ?? Number.NaN,
  };
}
