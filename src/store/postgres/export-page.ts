/** Rows that an export reads at once. */
export const ROWS_AT_ONCE = 2000;

/** Bytes of payloads or bodies after which a page ends. */
export const PAGE_BYTES = 8 * 1024 * 1024;
