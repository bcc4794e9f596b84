export { type DiskSpoolOptions, diskSpool } from './disk-spool.ts';
