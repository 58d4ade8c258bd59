// What operators do while deliveries come in.
import fs from 'node:fs';
import { alive, children, signal, sleep, until } from
	'../../integration/lib/processes.mjs';

const DAY = 86400;

// New workers instead of these.
const replaced = (rig, old) => until(() => {
	const { ingest, status } = Object.fromEntries(rig.processes());
	return ingest.length === 2 && status.length === 2 &&
		![...ingest, ...status].some((pid) => old.includes(pid));
}, 'new workers');

async function upgrade({ rig, say }, how) {
	const old = rig.master;
	rig.install();
	say(`another stripehookd; SIGTERM ${old}${how}`);
	signal(old, 'SIGTERM');
	await until(() => !alive(old), 'the old one ends');
	await until(() => rig.find('stripehookd') !== undefined, 'a new one');
}

// The wall clock of stripehookd alone, under load all the while.
const jump = (sign) => async ({ rig, random, say }) => {
	await rig.restart({ clock: true });
	await rig.back(10000);
	const workers = String(rig.workers());
	for (let i = random.int(1, 2); i > 0; i--) {
		const shift = sign * (random.chance(0.5) ? random.int(1, 900) :
			random.int(900, 400 * DAY));
		say(`the clock jumps by ${shift} s`);
		rig.setClock(shift);
		await rig.back(2000);
		await sleep(random.int(300, 800));
		say('the clock jumps back');
		rig.setClock(0);
		await rig.back(2000);
	}
	const after = String(rig.workers());
	await rig.restart({});
	if (after !== workers)
		throw new Error(`workers were ${workers}, are ${after}`);
};

export default [
	{
		name: 'reload', alone: true, what: 'HUP: new workers, settings read again',
		back: 500,
		async run({ rig, random, say }) {
			for (let i = random.int(1, 3); i > 0; i--) {
				const old = children(rig.master);
				say(`SIGHUP ${rig.master}`);
				signal(rig.master, 'SIGHUP');
				await replaced(rig, old);
			}
		},
	},
	{
		name: 'reload-nginx', what: 'HUP of nginx', answers: [0],
		back: 1000, keeps: ['ingest', 'status'],
		async run({ rig, random, say }) {
			for (let i = random.int(1, 3); i > 0; i--) {
				const old = children(rig.find('nginx'));
				say(`SIGHUP nginx ${rig.find('nginx')}`);
				signal(rig.find('nginx'), 'SIGHUP');
				await until(() => !old.some(alive), 'the old ones go');
			}
		},
	},
	{
		name: 'reopen', what: 'the log is rotated, USR1',
		back: 500, keeps: ['ingest', 'status'],
		async run({ rig, random, say }) {
			for (let i = random.int(1, 3); i > 0; i--) {
				fs.renameSync(rig.logFile, `${rig.logFile}.${i}`);
				say(`log renamed, SIGUSR1 ${rig.master}`);
				signal(rig.master, 'SIGUSR1');
				await until(() => rig.log().includes(' processed 200 '),
					'lines in the new log');
			}
		},
	},
	{
		name: 'upgrade', alone: true, answers: [503], back: 5000,
		what: 'another binary, TERM, start',
		run: (ctx) => upgrade(ctx, ''),
	},
	{
		name: 'upgrade-kept', alone: true, answers: [503], back: 5000,
		what: 'another binary while a socket unit keeps the sockets',
		async run(ctx) {
			const { rig, load } = ctx;
			await rig.restart({ kept: true });
			await rig.back(10000);
			await sleep(300);
			const before = load.failures;
			await upgrade(ctx, ', sockets kept');
			await rig.back(5000);
			const refused = load.failures - before;
			await rig.restart({});
			if (refused > 0)
				throw new Error(`${refused} deliveries were refused`);
		},
	},
	{ name: 'clock-forward', alone: true, answers: [400, 503], back: 5000,
		what: 'the clock jumps forward, and back', run: jump(1) },
	{ name: 'clock-back', alone: true, answers: [400, 503], back: 5000,
		what: 'the clock jumps back, and forward again', run: jump(-1) },
];
