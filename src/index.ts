export { type Config, loadConfig } from './config.ts';
export { SekaliError } from './errors.ts';
export { createLog, type Logger } from './log.ts';
export { type Server, startServer } from './server.ts';
