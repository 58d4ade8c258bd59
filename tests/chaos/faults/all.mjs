// All faults, each a row:
//   name, what     for people
//   run(context)   does it; rig, random, say(text), traffic, load
//   back           ms from its end until deliveries are taken again
//   answers        that are right besides 200 meanwhile: [] if left out; 0 is
//                  a connection that ended without one
//   keeps          pools whose workers must outlive it
//   slowest        ms that an answer may take
//   slow           takes its time: not in a quick run
//   alone          not together with another one
import { Random } from '../../integration/lib/story.mjs';
import database from './database.mjs';
import operations from './operations.mjs';
import peers from './peers.mjs';
import processes from './processes.mjs';
import resources from './resources.mjs';

export const FAULTS = [...processes, ...database, ...resources,
	...operations, ...peers];

const POOLS = ['ingest', 'status'];

// Two at the same time, as one.
export function together(one, other) {
	const slowest = one.slowest !== undefined && other.slowest !== undefined ?
		Math.max(one.slowest, other.slowest) + 10000 : undefined;
	return { name: `${one.name}+${other.name}`,
		what: `${one.what}, while ${other.what}`,
		back: one.back + other.back, slowest,
		answers: [...one.answers ?? [], ...other.answers ?? []],
		keeps: POOLS.filter((pool) => one.keeps?.includes(pool) &&
			other.keeps?.includes(pool)),
		run: (ctx) => Promise.all([one, other].map((fault) => fault.run({
			...ctx, random: new Random(ctx.random.int(1, 1e9)) }))) };
}

// 'kill-ingest', or 'kill-ingest+db-slow'.
export function find(name) {
	const list = name.split('+').map((part) => {
		const fault = FAULTS.find((one) => one.name === part);
		if (fault === undefined)
			throw new Error(`there is no fault '${part}'; there are: ${
				FAULTS.map((one) => one.name).join(', ')}`);
		return fault;
	});
	return list.reduce(together);
}

export function pairs(random, n) {
	const able = FAULTS.filter(({ alone }) => !alone);
	return Array.from({ length: n }, () => {
		const [one, other] = random.shuffle(able);
		return together(one, other);
	});
}
