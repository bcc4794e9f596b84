/** Rows that an export reads at once. */
export const ROWS_AT_ONCE = 2000;
