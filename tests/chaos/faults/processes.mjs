// Processes that are killed, or stand still.
import { alive, signal, sleep, until } from
	'../../integration/lib/processes.mjs';

const POOL_SIZE = 2;
const STUCK_MS = 60000;		// the master gives up on a worker after 30 s

const kill = ({ say }, pids, what) => {
	say(`kill -9 ${what} (${pids.join(', ')})`);
	for (const pid of pids)
		signal(pid, 'SIGKILL');
};

// Stands still for a while, in ms.
async function pause({ say }, pids, what, ms) {
	say(`SIGSTOP ${what} (${pids.join(', ')}) for ${ms} ms`);
	for (const pid of pids)
		signal(pid, 'SIGSTOP');
	try {
		await sleep(ms);
	} finally {
		for (const pid of pids)
			signal(pid, 'SIGCONT');
	}
}

const role = (rig, name) => rig.processes().get(name);

// What is dropped twice is refused: nginx asks one other worker.
const killOne = (name) => async (ctx) => {
	const { rig, random, load } = ctx;
	for (let i = random.int(1, 3); i > 0; i--) {
		const pid = random.pick(role(rig, name));
		const caught = [...load.open];
		kill(ctx, [pid], name);
		await until(() => !role(rig, name).includes(pid) &&
			role(rig, name).length === POOL_SIZE, `another ${name}`);
		await until(() => !caught.some((one) => load.open.has(one)),
			'what it had is answered');
		await sleep(random.int(0, 200));
	}
};

const stopOne = (name) => (ctx) => pause(ctx,
	[ctx.random.pick(role(ctx.rig, name))], name, ctx.random.int(500, 2500));

// nginx asks another worker when one dies; what waits for one that stands
// still waits with it, or for the rows that it has locked.
export default [
	{ name: 'kill-ingest', what: 'kill -9 of an ingest worker',
		back: 1000, run: killOne('ingest') },
	{ name: 'kill-status', what: 'kill -9 of a status worker',
		back: 1000, keeps: ['ingest'], run: killOne('status') },
	{
		name: 'kill-workers', alone: true, what: 'kill -9 of all workers at once',
		back: 3000, answers: [503],
		async run(ctx) {
			const { rig } = ctx;
			kill(ctx, [...role(rig, 'ingest'), ...role(rig, 'status')],
				'all workers');
		},
	},
	{
		name: 'kill-master', alone: true, what: 'kill -9 of stripehookd\'s master',
		back: 5000, answers: [503],
		async run(ctx) {
			const { rig } = ctx;
			const old = [...role(rig, 'ingest'), ...role(rig, 'status')];
			kill(ctx, [rig.master], 'master');
			await until(() => !old.some(alive), 'its workers end');
		},
	},
	{ name: 'kill-nginx', what: 'kill -9 of an nginx worker',
		back: 1000, answers: [0], keeps: ['ingest', 'status'],
		run: killOne('nginx worker') },
	{
		name: 'kill-database', what: 'kill -9 of mariadbd, and its recovery',
		back: 5000, answers: [503], keeps: ['ingest', 'status'],
		async run(ctx) {
			kill(ctx, [ctx.rig.find('mariadbd')], 'mariadbd');
		},
	},
	{ name: 'stop-ingest', what: 'an ingest worker stands still',
		back: 1000, answers: [503], keeps: ['ingest', 'status'],
		run: stopOne('ingest') },
	{ name: 'stop-status', what: 'a status worker stands still',
		back: 1000, keeps: ['ingest', 'status'], run: stopOne('status') },
	{ name: 'stop-nginx', what: 'an nginx worker stands still',
		back: 1000, keeps: ['ingest', 'status'],
		run: stopOne('nginx worker') },
	{
		name: 'stop-master', what: 'the master stands still',
		back: 500, keeps: ['ingest', 'status'],
		run: (ctx) => pause(ctx, [ctx.rig.master], 'master',
			ctx.random.int(500, 2500)),
	},
	{
		name: 'stop-database', what: 'mariadbd stands still',
		back: 3000, answers: [503], keeps: ['ingest', 'status'],
		run: (ctx) => pause(ctx, [ctx.rig.find('mariadbd')], 'mariadbd',
			ctx.random.int(500, 3000)),
	},
	{
		name: 'hang-database', alone: true, slow: true,
		what: 'mariadbd stands still for longer than anybody waits',
		back: 5000, answers: [503], keeps: ['ingest', 'status'],
		run: (ctx) => pause(ctx, [ctx.rig.find('mariadbd')], 'mariadbd',
			ctx.random.int(10000, 15000)),
	},
	{
		name: 'hang-ingest', alone: true, slow: true,
		what: 'an ingest worker stands still until the master kills it',
		back: 1000, answers: [503], keeps: ['status'],
		async run(ctx) {
			const pid = ctx.random.pick(role(ctx.rig, 'ingest'));
			ctx.say(`SIGSTOP ingest (${pid})`);
			signal(pid, 'SIGSTOP');
			await until(() => !alive(pid), 'the master kills it', STUCK_MS);
		},
	},
];
