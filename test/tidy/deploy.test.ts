/** No container engine is at hand where tests run: what the recipes name must at least exist. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/cli/commands.ts';
import { SERVER_SETTINGS } from '../../src/config.ts';
import { envOf, type Settings } from '../../src/settings.ts';

const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
const compose = parse(readFileSync('deploy/compose.yaml', 'utf8')) as Compose;

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

interface Service {
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  profiles?: string[];
  read_only?: boolean;
  depends_on?: Record<string, { condition: string }>;
}

function variablesOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, setting]) => envOf(name, setting));
}

test('every path that the Dockerfile copies from the repository exists', () => {
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, paths = '']) =>
    paths.split(' ').slice(0, -1),
  );
  assert.ok(copies.length >= 5);
  for (const path of copies) assert.ok(existsSync(path), path);
});

test('the Dockerfile runs as a user, writes only to its volume, and checks its health with a command that exists', () => {
  assert.match(dockerfile, /^USER node$/m);
  assert.match(dockerfile, /^VOLUME \/data$/m);
  const health = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile)?.[1];
  const [, program, command] = JSON.parse(health ?? '[]') as string[];
  assert.ok(existsSync(program ?? ''));
  assert.ok(
    COMMANDS.some(({ name }) => name === command),
    command,
  );
});

test('every variable that the Dockerfile sets is a setting, and its port is the one it exposes', () => {
  const known = variablesOf(SERVER_SETTINGS);
  const set = [...dockerfile.matchAll(/(SEKALI_\w+)=(\S+)/g)];
  assert.ok(set.length >= 3);
  for (const [, name = ''] of set) assert.ok(known.includes(name), name);
  const port = set.find(([, name]) => name === 'SEKALI_PORT')?.[2];
  assert.equal(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1], port);
});

test('the compose file names commands, variables, volumes and services that exist', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    if (service.build) assert.ok(existsSync(service.build.dockerfile), name);
    const command = COMMANDS.find((candidate) => candidate.name === (service.command?.[0] ?? 'serve'));
    assert.ok(command, `${name} runs ${service.command?.[0]}`);
    for (const variable of Object.keys(service.environment)) {
      assert.ok(variablesOf(command.settings).includes(variable), `${name}: ${variable}`);
    }
    for (const volume of service.volumes ?? [])
      assert.ok((volume.split(':')[0] ?? '') in compose.volumes, volume);
    for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in compose.services, other);
    assert.equal(service.read_only, true, name);
  }
});

test('the compose file publishes the port that the image listens on, to this machine alone', () => {
  const exposed = /^EXPOSE (\d+)$/m.exec(dockerfile)?.[1];
  assert.deepEqual(compose.services['sekali']?.ports, [`127.0.0.1:8080:${exposed}`]);
});

test('the demo profile adds the publisher, which talks to the server by its name and port', () => {
  const publisher = compose.services['publisher'];
  assert.deepEqual(publisher?.profiles, ['demo']);
  const url = new URL(publisher?.environment['SEKALI_URL'] ?? '');
  assert.ok(url.hostname in compose.services);
  assert.equal(url.port, /^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]);
});
