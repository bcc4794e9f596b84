/** No container engine is at hand where tests run: what the recipes name must at least exist, and agree. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { COMMANDS } from '../../src/cli/commands.ts';
import { isProbe } from '../../src/http/auth.ts';
import { SERVER_SETTINGS } from '../../src/server-settings.ts';
import { envOf, type Settings } from '../../src/settings.ts';

const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
const compose = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true }) as Compose;
const exposed = Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]);

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
}

interface Service {
  build?: { context: string; dockerfile: string };
  image: string;
  user?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  tmpfs?: string[];
  networks?: string[];
  profiles?: string[];
  deploy?: { replicas: number };
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

function variablesOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, setting]) => envOf(name, setting));
}

/** Of the image that the Dockerfile makes. */
function isOurs({ image }: Service): boolean {
  return image === 'sekali';
}

/** The settings of what a container of the image runs: of `serve`, unless it says otherwise. */
function settingsOf(args: readonly string[] | undefined): string[] {
  const command = COMMANDS.find(({ name }) => name === (args?.[0] ?? 'serve'));
  assert.ok(command, `there is no command ${args?.[0]}`);
  return variablesOf(command.settings);
}

/** Every command runs with what the image sets for the server; each passes over what is not its own. */
const inImage = [...dockerfile.matchAll(/(SEKALI_\w+)=(\S+)/g)];

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
  assert.ok(inImage.length >= 3);
  for (const [, name = ''] of inImage) assert.ok(known.includes(name), name);
  assert.equal(Number(inImage.find(([, name]) => name === 'SEKALI_PORT')?.[2]), exposed);
});

describe('deploy/compose.yaml', () => {
  const services = Object.entries(compose.services);
  const cluster = services.filter(([, { profiles }]) => profiles?.includes('cluster'));

  for (const [name, service] of services) {
    it(`names only what exists, in ${name}`, () => {
      if (service.build) assert.ok(existsSync(service.build.dockerfile));
      if (isOurs(service)) {
        const known = new Set([...settingsOf(service.command), ...inImage.map(([, variable]) => variable)]);
        for (const variable of Object.keys(service.environment ?? {}))
          assert.ok(known.has(variable), variable);
      }
      for (const [from = ''] of (service.volumes ?? []).map((volume) => volume.split(':')))
        assert.ok(from.startsWith('./') ? existsSync(`deploy/${from}`) : from in compose.volumes, from);
      for (const network of service.networks ?? []) assert.ok(network in compose.networks, network);
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in compose.services, other);
    });

    it(`hardens ${name}`, () => {
      assert.equal(service.read_only, true);
      assert.ok(service.tmpfs?.includes('/tmp'));
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
      if (!isOurs(service)) assert.match(service.image, /^[a-z]+:\d+(\.\d+)?(-[a-z]+)?$/);
      // HAProxy's image says so itself, as ours does.
      if (!isOurs(service) && name !== 'balancer') assert.match(service.user ?? 'root', /^(postgres|redis)$/);
    });
  }

  it('publishes the port that the image listens on', () => {
    assert.deepEqual(compose.services['sekali']?.ports, [`127.0.0.1:8080:${exposed}`]);
  });

  it('asks for no password of the cluster when the single server is started: variables of all profiles are filled in', () => {
    const required = [...readFileSync('deploy/compose.yaml', 'utf8').matchAll(/\$\{(\w+):\?/g)];
    assert.deepEqual([...new Set(required.map(([, name]) => name))], ['SEKALI_API_KEY', 'REDIS_PASSWORD']);
    // That one stands behind a second dollar sign: the shell in the container asks for it.
    assert.ok(compose.services['redis']?.command?.at(-1)?.includes('"$${REDIS_PASSWORD:?'));
  });

  it('has one way into the cluster, the load balancer', () => {
    assert.deepEqual(
      Object.entries(compose.networks).filter(([, network]) => network?.internal),
      [['inside', { internal: true }]],
    );
    for (const [name, { networks, ports }] of cluster) {
      assert.deepEqual(networks, name === 'balancer' ? ['edge', 'inside'] : ['inside'], name);
      assert.equal(ports === undefined, name !== 'balancer', name);
    }
    // Else the single server could not run beside it.
    const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]));
    assert.equal(new Set(published).size, published.length);
  });

  it('starts three servers once the schema is made, and the load balancer once they are healthy', () => {
    const { deploy, depends_on, environment } = compose.services['sekali-cluster'] ?? {};
    assert.equal(deploy?.replicas, 3);
    assert.equal(environment?.['SEKALI_SKIP_MIGRATE'], 'true');
    assert.deepEqual(depends_on, {
      migrate: { condition: 'service_completed_successfully' },
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
    assert.deepEqual(compose.services['balancer']?.depends_on, {
      'sekali-cluster': { condition: 'service_healthy' },
    });
    for (const [name, { image, healthcheck }] of cluster) {
      assert.ok(image === 'sekali' || (healthcheck?.test?.length ?? 0) > 1, `${name} has a health check`);
    }
  });

  it('leads each URL to a service of that name and port', () => {
    const ports: Record<string, string> = { 'postgres:': '5432', 'redis:': '6379', 'http:': String(exposed) };
    const urls = services.flatMap(([, { environment = {} }]) =>
      Object.values(environment).filter((value) => /^\w+:\/\//.test(value)),
    );
    assert.ok(urls.length >= 5);
    for (const url of urls) {
      const { protocol, hostname, port } = new URL(url.replaceAll(/\$\{\w+:-\}/g, 'x'));
      assert.ok(hostname in compose.services, url);
      assert.equal(port, ports[protocol], url);
    }
  });

  it('keeps in Redis what has been acknowledged', () => {
    const command = compose.services['redis']?.command?.join(' ') ?? '';
    for (const option of ['appendonly yes', 'appendfsync always', 'maxmemory-policy noeviction'])
      assert.ok(command.includes(`--${option}`), option);
  });

  it('has the load balancer ask the servers for what they answer, and end before it is killed', () => {
    const config = readFileSync('deploy/haproxy.cfg', 'utf8');
    const [, name = '', port] = /^ *server-template \S+ \d+ ([\w-]+):(\d+)$/m.exec(config) ?? [];
    assert.ok(name in compose.services);
    assert.equal(Number(port), exposed);
    assert.ok(isProbe(/http-check send .*uri ([^\s?]+)/.exec(config)?.[1]));
    const balancer = compose.services['balancer'];
    assert.equal(balancer?.ports?.[0]?.split(':').at(-1), /bind :(\d+)/.exec(config)?.[1]);
    const health = new URL(balancer?.healthcheck?.test?.at(-1) ?? '');
    assert.ok(config.includes(`bind ${health.host}`));
    assert.ok(config.includes(`monitor-uri ${health.pathname}`));
    const hardStopS = Number(/hard-stop-after (\d+)s/.exec(config)?.[1]);
    assert.ok(hardStopS < Number.parseInt(balancer?.stop_grace_period ?? '', 10));
  });

  it('gives a server longer to stop than it takes', () => {
    for (const name of ['sekali', 'sekali-cluster']) {
      const graceS = Number.parseInt(compose.services[name]?.stop_grace_period ?? '', 10);
      assert.ok(graceS * 1000 > SERVER_SETTINGS.shutdownTimeoutMs.fallback, name);
    }
  });

  for (const [name, profile] of Object.entries({ publisher: 'demo', 'cluster-publisher': 'cluster-demo' })) {
    it(`adds ${name} with the profile ${profile}`, () => {
      assert.deepEqual(compose.services[name]?.profiles, [profile]);
    });
  }
});

describe('deploy/kubernetes', () => {
  const directory = 'deploy/kubernetes';
  const manifests = readdirSync(directory).filter((file) => file !== 'kustomization.yaml');
  const objects = manifests.flatMap((file) =>
    parseAllDocuments(readFileSync(`${directory}/${file}`, 'utf8')).map((each) => each.toJS() as Manifest),
  );
  const one = (kind: string, name = 'sekali') => {
    const found = objects.find((each) => each.kind === kind && each.metadata.name === name);
    assert.ok(found, `${kind} ${name}`);
    return found;
  };
  const deployment = one('Deployment');
  const job = one('Job', 'sekali-migrate');
  const pods = [deployment, job].map(({ spec }) => spec.template);
  const server = containerOf(deployment);
  const config = one('ConfigMap').data ?? {};
  const secret = one('Secret').stringData ?? {};

  it('has every manifest in the kustomization, but for the example and the Job', () => {
    const { resources, namespace } = parse(readFileSync(`${directory}/kustomization.yaml`, 'utf8')) as {
      resources: string[];
      namespace: string;
    };
    assert.deepEqual([...resources, 'migrate-job.yaml', 'secret.example.yaml'].sort(), manifests.sort());
    for (const { kind, metadata } of objects)
      assert.equal(kind === 'Namespace' ? metadata.name : metadata.namespace, namespace, kind);
  });

  it('sets variables that are settings, to values that they take', () => {
    const known = new Map(
      Object.entries(SERVER_SETTINGS).flatMap(([name, setting]) =>
        envOf(name, setting).map((variable) => [variable, setting] as const),
      ),
    );
    for (const [variable, value] of Object.entries({ ...config, ...secret })) {
      const setting = known.get(variable);
      assert.ok(setting, variable);
      if (value !== '') assert.ok('value' in setting.kind.read(value), `${variable}=${value}`);
    }
    const ofMigrate = settingsOf(containerOf(job).args);
    for (const { name } of containerOf(job).env ?? [])
      assert.ok(ofMigrate.includes(name) || inImage.some(([, variable]) => variable === name), name);
    for (const { valueFrom } of containerOf(job).env ?? [])
      if (valueFrom) assert.ok(valueFrom.secretKeyRef.key in secret);
  });

  it('runs commands that exist, of one image', () => {
    for (const { args } of [server, containerOf(job)]) settingsOf(args);
    assert.equal(server.image, containerOf(job).image);
    assert.match(server.image, /:\d+\.\d+\.\d+$/);
  });

  it('probes routes that need no key, and restarts no server for what its database does', () => {
    const { startupProbe, readinessProbe, livenessProbe } = server;
    const paths = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet.path);
    assert.deepEqual(paths, ['/readyz', '/readyz?exclude=database,queue', '/livez']);
    for (const path of paths) assert.ok(isProbe(path?.split('?')[0]));
    for (const probe of [startupProbe, readinessProbe, livenessProbe])
      assert.equal(probe?.httpGet.port, server.ports?.[0]?.name);
  });

  it('leads the service to the port that the image listens on', () => {
    assert.deepEqual(server.ports, [{ name: 'http', containerPort: exposed }]);
    assert.deepEqual(one('Service').spec.ports, [{ name: 'http', port: exposed, targetPort: 'http' }]);
    assert.deepEqual(one('NetworkPolicy', 'sekali-server').spec.ingress?.[0]?.ports, [{ port: 'http' }]);
  });

  it('selects the servers, and not the Job, by labels that they have', () => {
    const labels = pods[0]?.metadata.labels ?? {};
    const selectors = [
      deployment.spec.selector.matchLabels,
      one('Service').spec.selector,
      one('PodDisruptionBudget').spec.selector.matchLabels,
      one('NetworkPolicy', 'sekali-server').spec.podSelector.matchLabels,
      ...(pods[0]?.spec.topologySpreadConstraints ?? []).map(
        ({ labelSelector }) => labelSelector.matchLabels,
      ),
    ];
    assert.equal(selectors.length, 6);
    for (const selector of selectors) assert.deepEqual(selector, labels);
    assert.notDeepEqual(pods[1]?.metadata.labels, labels);
  });

  it('lets both reach PostgreSQL and Redis', () => {
    const { podSelector, egress } = one('NetworkPolicy').spec;
    for (const pod of pods)
      for (const [name, value] of Object.entries(podSelector.matchLabels))
        assert.equal(pod.metadata.labels[name], value);
    const open = egress?.flatMap(({ ports }) => ports.map(({ port }) => String(port)));
    for (const name of ['DATABASE_URL', 'REDIS_URL'])
      assert.ok(open?.includes(new URL(secret[name] ?? '').port), name);
  });

  it('never has fewer servers than asked for during an update, and gives each the time to finish', () => {
    assert.equal(deployment.spec.replicas, 3);
    assert.equal(deployment.spec.strategy?.rollingUpdate.maxUnavailable, 0);
    assert.equal(one('PodDisruptionBudget').spec.maxUnavailable, 1);
    const sleepS = server.lifecycle?.preStop.sleep.seconds ?? 0;
    const shutdownS = Number(config['SEKALI_SHUTDOWN_TIMEOUT_MS']) / 1000;
    assert.ok(sleepS > 0);
    assert.ok((pods[0]?.spec.terminationGracePeriodSeconds ?? 0) > sleepS + shutdownS);
  });

  it('keeps to the restricted standard, and has a place for everything that is written', () => {
    for (const { spec } of pods) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.enableServiceLinks, false);
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.ok(spec.securityContext.runAsUser > 0);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
      for (const { securityContext, resources, volumeMounts } of spec.containers) {
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        assert.ok(resources.requests['cpu'] && resources.requests['memory'] && resources.limits['memory']);
        assert.deepEqual(
          volumeMounts.map(({ mountPath }) => mountPath),
          ['/tmp', '/data'],
        );
        for (const { name } of volumeMounts) assert.ok(spec.volumes.some((volume) => volume.name === name));
      }
    }
  });
});

function containerOf({ spec }: Manifest): Container {
  const [container] = spec.template.spec.containers;
  assert.ok(container);
  return container;
}

type Labels = Record<string, string>;

/** What the kinds at hand have, all in one: each test asks for what its kind must have. */
interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec: {
    replicas?: number;
    maxUnavailable?: number;
    selector: Labels & { matchLabels: Labels };
    podSelector: { matchLabels: Labels };
    strategy?: { rollingUpdate: { maxUnavailable: number } };
    ports?: unknown[];
    ingress?: { ports: { port: number | string }[] }[];
    egress?: { ports: { port: number | string }[] }[];
    template: { metadata: { labels: Labels }; spec: PodSpec };
  };
}

interface PodSpec {
  automountServiceAccountToken: boolean;
  enableServiceLinks: boolean;
  terminationGracePeriodSeconds?: number;
  topologySpreadConstraints?: { labelSelector: { matchLabels: Labels } }[];
  securityContext: { runAsNonRoot: boolean; runAsUser: number; seccompProfile: { type: string } };
  containers: Container[];
  volumes: { name: string }[];
}

interface Container {
  image: string;
  args: string[];
  env?: { name: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: unknown;
  volumeMounts: { name: string; mountPath: string }[];
}

interface Probe {
  httpGet: { path: string; port: string };
}
