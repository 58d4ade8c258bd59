// Breaks things under load, by a seed, and looks each time whether everything
// that was answered 2xx is there, and whether all is as before.
import { parseArgs } from 'node:util';
import { Random } from '../integration/lib/story.mjs';
import { FAULTS, find, pairs } from './faults/all.mjs';
import { Play } from './play.mjs';
import { soak } from './soak.mjs';

const PAIRS = 6;		// of faults at once, in each round of a long run

function number(name, text, least) {
	const n = Number(text);
	if (text === '' || !Number.isSafeInteger(n) || n < least)
		throw new Error(`--${name} is '${text}', but must be a whole number, ` +
			`at least ${least}`);
	return n;
}

function options() {
	const { values } = parseArgs({ options: {
		seed: { type: 'string',
			default: String(Math.floor(Math.random() * 1e6)) },
		faults: { type: 'string' },
		minutes: { type: 'string', default: '0' },
		patience: { type: 'string', default: '1' },
		soak: { type: 'string' },
		list: { type: 'boolean', default: false },
	} });
	return {
		seed: number('seed', values.seed, 0),
		minutes: number('minutes', values.minutes, 0),
		faults: values.faults?.split(',').map(find),
		patience: number('patience', values.patience, 1),
		soak: values.soak && number('soak', values.soak, 200000),
		list: values.list,
	};
}

function rows(table) {
	const widths = table[0].map((_, i) =>
		Math.max(...table.map((row) => row[i].length)));
	for (const row of table)
		console.log(row.map((cell, i) => cell.padEnd(widths[i]))
			.join('  ').trimEnd());
}

const list = () => rows([['fault', 'back in', ''],
	...FAULTS.map(({ name, back, slow, what }) => [name, `${back} ms`,
		what + (slow ? ' (long runs only)' : '')])]);

async function rounds({ seed, minutes, faults, patience }) {
	const play = new Play(patience);
	await play.begin();
	for (let n = seed; n === seed ||
		Date.now() - play.start < minutes * 60000; n++) {
		play.say(`round with --seed ${n}`);
		const random = new Random(n);
		const quick = FAULTS.filter(({ slow }) => minutes > 0 || !slow);
		const round = random.shuffle(faults ?? (minutes > 0 ?
			[...quick, ...pairs(random, PAIRS)] : quick));
		for (const fault of round) {
			const { failed } = play;
			await play.play(fault, n);
			if (play.failed === failed)
				continue;
			// What is broken must not count against the next fault.
			play.say(`again: scripts/chaos --seed ${n} --faults ${
				fault.name}`);
			await play.end();
			await play.begin();
		}
	}
	await play.end();
	rows([['fault', 'times', 'back in', 'at most'], ...[...play.table.values()]
		.map(({ fault, times, worst }) => [fault.name, String(times),
			`${worst} ms`, `${fault.back * patience} ms`])]);
	return play;
}

let given;
try {
	given = options();
} catch (error) {
	console.error(`scripts/chaos: ${error.message}`);
	process.exit(2);
}
if (given.list) {
	list();
} else {
	const play = given.soak ? await soak(given.soak) : await rounds(given);
	console.log(`${play.passed} passed, ${play.failed} failed`);
	process.exit(play.failed === 0 ? 0 : 1);
}
