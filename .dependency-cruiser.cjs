/**
 * Imports run one way (ARCHITECTURE.md): errors → event → protocol, content, clock, log → config → ports → adapters → ingest →
 * http → server → cli, testing. Each rule names a layer and what it must not know.
 */
const layer = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    layer('no-cycles', {}, { circular: true }, 'Two modules that need each other are one, or hide a third.'),
    layer('errors-know-nothing', { path: '^src/errors' }, { path: '^src/' }, 'The catalogue is below everything.'),
    layer(
      'event-knows-only-errors',
      { path: '^src/event\\.ts' },
      { path: '^src/', pathNot: '^src/(errors|instant)\\.ts' },
      'What an event is depends on no part that handles one.',
    ),
    layer(
      'content-knows-only-events',
      { path: '^src/content/', pathNot: '\\.test\\.ts$' },
      { path: '^src/', pathNot: '^src/(content/|errors|event)' },
      'What a payload says is below those who receive it and those who keep it.',
    ),
    layer(
      'protocol-does-no-io',
      { path: '^src/protocol/' },
      { pathNot: '^src/(protocol/|errors|event|instant)' },
      'The wire shapes are for browsers too.',
    ),
    layer(
      'client-knows-only-protocol',
      { path: '^src/client/', pathNot: '\\.test\\.ts$|^src/client/disk-spool/' },
      { pathNot: '^src/(client/(?!disk-spool/)|protocol/)' },
      'The client has no dependency, not even on Node.',
    ),
    layer(
      'disk-spool-knows-only-the-client-and-node',
      { path: '^src/client/disk-spool/', pathNot: '\\.test\\.ts$' },
      { pathNot: '^src/client/', dependencyTypesNot: ['core'] },
      'It comes with the client, for Node alone.',
    ),
    layer(
      'ports-know-no-adapter',
      { path: '^src/store/(store|dedup)' },
      { path: '^src/(store/(sqlite|postgres|memory)|queue/redis|ingest|consume|http|cli|server)' },
      'A port speaks to its implementers, not of them.',
    ),
    layer(
      'adapters-know-no-stage',
      { path: '^src/store/', pathNot: '\\.test\\.ts$' },
      { path: '^src/(ingest|consume|deliver|http|cli|server|config)' },
      'The store is used by the stages, never the other way round.',
    ),
    layer('stages-know-no-edge', { path: '^src/(ingest|deliver)/' }, { path: '^src/(http/|cli/|server|testing)' }, 'Stages do not know HTTP.'),
    layer(
      'http-knows-no-adapter',
      { path: '^src/http/' },
      { path: '^src/(store/(sqlite|postgres|memory)|queue/redis|cli|server)' },
      'The edge sees ports.',
    ),
    layer(
      'adapters-know-not-each-other',
      { path: '^src/store/(sqlite|postgres|memory)/' },
      { path: '^src/store/(sqlite|postgres|memory)/', pathNot: '^src/store/$1/' },
      'What both need is beside them.',
    ),
    layer(
      'nobody-knows-testing',
      { path: '^src/', pathNot: '^src/(testing|store/memory)/|\\.test\\.ts$' },
      { path: '^src/(testing|store/memory)/' },
      'A server for tests puts the parts together as server.ts does; it is no part of a server.',
    ),
    layer('server-knows-no-cli', { path: '^src/(server|testing)' }, { path: '^src/cli/' }, 'The CLI is one user of the server.'),
    layer('source-knows-no-test', { path: '^src/', pathNot: '\\.test\\.ts$' }, { path: '^(test|bench|scripts)/' }, ''),
    layer(
      'no-dev-dependency-in-source',
      { path: '^src/', pathNot: '\\.test\\.ts$' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
      'What the package needs has to come with it.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no API that it could read types by: it reads them by @swc/core. Without that it finds no module, and nothing wrong.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['import', 'node', 'types'] },
  },
};
