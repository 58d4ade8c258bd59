// The way to the database breaks.
import fs from 'node:fs';
import { sleep, until } from '../../integration/lib/processes.mjs';

const keeps = ['ingest', 'status'];

// The proxy in another state for a while, and back. reset: what went through
// it is of no use any more.
async function bad({ rig, say }, what, state, ms, { reset = false } = {}) {
	say(`${what} for ${ms} ms`);
	await rig.proxy.set(state);
	try {
		await sleep(ms);
	} finally {
		await rig.proxy.set({ mode: 'pass', delay: 0, reset });
	}
}

// How often a committer got help.
const helped = (rig) => fs.readFileSync(rig.logFile, 'utf8')
	.split('a further connection helps').length - 1;

export default [
	{
		name: 'db-reset', what: 'connections to the database are reset',
		back: 1000, answers: [503], keeps,
		async run({ rig, random, say }) {
			for (let i = random.int(2, 5); i > 0; i--) {
				say(`reset ${await rig.proxy.reset()} connections`);
				await sleep(random.int(20, 300));
			}
		},
	},
	{
		name: 'db-refuse', what: 'connections to the database are refused',
		back: 2000, answers: [503], keeps,
		async run(ctx) {
			await ctx.rig.proxy.set({ mode: 'refuse' });
			await ctx.rig.proxy.reset();
			await bad(ctx, 'refuse', {}, ctx.random.int(300, 1500));
		},
	},
	{
		name: 'db-stall',
		what: 'connections to the database stand still, then go on',
		back: 2000, answers: [503], keeps,
		run: (ctx) => bad(ctx, 'stall', { mode: 'stall' },
			ctx.random.int(500, 2000)),
	},
	{
		name: 'db-half-open', alone: true, slow: true,
		what: 'connections to the database are half open, new ones too',
		back: 5000, answers: [503], keeps,
		run: (ctx) => bad(ctx, 'stall', { mode: 'stall' },
			ctx.random.int(9000, 14000), { reset: true }),
	},
	{
		name: 'db-mute',
		what: 'the database commits, and its answers are lost',
		back: 2000, answers: [503], keeps,
		run: (ctx) => bad(ctx, 'drop answers', { mode: 'mute' },
			ctx.random.int(100, 1000), { reset: true }),
	},
	{
		name: 'db-slow', what: 'the way to the database gets slow',
		back: 1000, answers: [503], keeps,
		run: (ctx) => bad(ctx, 'delay', { delay: ctx.random.int(2, 25) },
			ctx.random.int(500, 2000)),
	},
	{
		name: 'db-far', back: 1000, answers: [503], keeps,
		what: 'the database moves away until committers get help',
		async run({ rig, random, say }) {
			const before = helped(rig);
			const delay = random.int(3, 8);
			say(`delay of ${delay} ms each way`);
			await rig.proxy.set({ delay });
			try {
				await until(() => helped(rig) > before, 'help');
				await sleep(random.int(500, 2000));
			} finally {
				await rig.proxy.set({ delay: 0 });
			}
		},
	},
];
