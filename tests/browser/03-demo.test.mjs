// The demo page in Chromium: payments are started, seen and steered on it, by
// mouse, keyboard and screen reader, in light and dark, on a phone too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../integration/lib/events.mjs';
import { signal } from '../integration/lib/processes.mjs';
import { Server, run } from '../integration/lib/server.mjs';
import { launch, picture, shows } from './lib/chromium.mjs';

const AXE = fs.readFileSync(
	createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESK = { width: 1100, height: 900 };
const PHONE = { width: 320, height: 640 };

let server, browser;
before(async () => {
	browser = await launch();
	server = await Server.start();
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

// Runs use(page) on the page as it is first seen. The console must have
// nothing but what is expected.
async function open(use, { base = server.base, viewport = DESK,
	expected = /^$/, ...options } = {}) {
	const context = await browser.newContext({ viewport, locale: 'en-GB',
		permissions: ['clipboard-read', 'clipboard-write'], ...options });
	const complaints = [];
	try {
		const page = await context.newPage();
		page.on('console', (message) =>
			/error|warning/.test(message.type()) &&
				complaints.push(message.text()));
		page.on('pageerror', (error) => complaints.push(String(error)));
		await page.goto(base);
		await page.waitForSelector('#go:visible, #off:visible');
		await use(page);
		assert.deepEqual(complaints.filter((text) => !expected.test(text)),
			[]);
	} finally {
		await context.close();
	}
}

async function start(page, scenario) {
	await page.check(`[value=${scenario}]`);
	await page.click('#go');
}

const steps = (page) => page.$$eval('#timeline b',
	(all) => all.map(({ textContent }) => textContent));

// The steps so far, once this is one of them.
async function until(page, step) {
	await page.waitForFunction((wanted) => [...document.querySelectorAll(
		'#timeline b')].some(({ textContent }) => textContent === wanted), step,
	{ timeout: 60000, polling: 20 });
	return steps(page);
}
// Holds the story there, however long it takes to look at it.
async function pauseAt(page, step) {
	await until(page, step);
	signal(server.pid('stripehookctl'), 'SIGSTOP');
}
const goOn = () => signal(server.pid('stripehookctl'), 'SIGCONT');

const tone = (page) => page.getAttribute('#hero', 'data-tone');

const shell = (command) => run('sh', ['-c', command],
	{ env: server.env, cwd: ROOT });

describe('a payment', () => {
	test('succeeds, step by step, as it happens', async () => {
		await open(async (page) => {
			await shows(page, 'state', 'Nothing yet');
			await start(page, 'one_time');
			await shows(page, 'state', 'Waiting');
			assert.equal(await tone(page), 'wait');
			await until(page, 'Waiting');
			await picture(page, 'demo-waiting');
			assert.deepEqual(await until(page, 'Paid'),
				['Started', 'Waiting', 'Paid']);
			assert.equal(await tone(page), 'ok');
			assert.match(await page.textContent('#amount'), /[$€£¥][\d.,]+$/);
			await shows(page, 'said', 'Paid. The payment has succeeded.');
			await shows(page, 'over',
				'This is final, so the page has stopped watching.');
			assert.equal(await page.title(), 'Paid · stripehook demo');
			const times = await page.$$eval('#timeline time', (all) =>
				all.map(({ textContent }) => parseFloat(textContent)));
			assert.deepEqual(times, [...times].sort((a, b) => a - b));
			await picture(page, 'demo-paid');
		});
	});

	test('is declined, with the reason, and paid at last', async () => {
		await open(async (page) => {
			await start(page, 'retried');
			await pauseAt(page, 'Declined');
			assert.equal(await tone(page), 'bad');
			await shows(page, 'detail', 'Your card has insufficient funds.');
			await shows(page, 'said',
				'Declined. Your card has insufficient funds.');
			assert.match(await page.textContent('#facts'),
				/card_declined, insufficient_funds/);
			await picture(page, 'demo-declined');
			goOn();
			assert.deepEqual(await until(page, 'Paid'),
				['Started', 'Waiting', 'Declined', 'Paid']);
			assert.doesNotMatch(await page.textContent('#facts'), /declined/);
		}, { colorScheme: 'dark' }).finally(goOn);
	});

	test('asks for 3-D Secure', async () => {
		await open(async (page) => {
			await start(page, 'secured');
			assert.deepEqual(await until(page, 'Paid'),
				['Started', 'Waiting', '3-D Secure', 'Paid']);
		});
	});

	test('is steered by a command that was copied', async () => {
		await open(async (page) => {
			await start(page, 'debited');
			await pauseAt(page, 'Processing');
			await picture(page, 'demo-processing');
			const item = page.locator('#commands li',
				{ hasText: 'Let the payment fail' });
			await item.getByRole('button').click();
			await shows(page, 'said', 'Copied');
			const command = await page.evaluate(() =>
				navigator.clipboard.readText());
			assert.equal(command, await item.locator('code').textContent());
			const { code, stderr } = await shell(command);
			assert.equal(code, 0, stderr);
			await until(page, 'Declined');
		}).finally(goOn);
	});

	test('another one takes its place', async () => {
		await open(async (page) => {
			await start(page, 'recovered');
			await until(page, 'Subscription: Active');
			await start(page, 'one_time');
			assert.deepEqual(await until(page, 'Paid'),
				['Started', 'Waiting', 'Paid']);
			await page.waitForTimeout(4000);
			assert.deepEqual(await steps(page), ['Started', 'Waiting', 'Paid']);
			assert.doesNotMatch(await page.textContent('#facts'), /sub_/);
		});
	});
});

describe('a subscription', () => {
	test('gets past due and recovers', async () => {
		await open(async (page) => {
			await start(page, 'recovered');
			await shows(page, 'state', 'Incomplete');
			await shows(page, 'state', 'Active');
			assert.match(await page.textContent('#facts'),
				/Plan\s*price_.*Period ends\s*\d+ \w+ 20\d\d/s);
			await shows(page, 'state', 'Past due');
			await picture(page, 'demo-past-due');
			await shows(page, 'state', 'Active');
			const seen = await steps(page);
			for (const step of ['Payment: Paid', 'Subscription: Renewed',
				'Renewal: Declined', 'Renewal: Declined again',
				'Renewal: Paid'])
				assert.ok(seen.includes(step), `${step} in ${seen}`);
			assert.match(await page.textContent('#amount'), /[$€£¥][\d.,]+$/);
		}, { colorScheme: 'dark' });
	});

	test('is on trial, then paid, then canceled by a command', async () => {
		await open(async (page) => {
			await start(page, 'trial');
			await shows(page, 'state', 'On trial');
			await shows(page, 'state', 'Active');
			await until(page, 'Payment: Paid');
			const { code, stderr } = await shell(await page.locator(
				'#commands li', { hasText: 'Cancel' }).locator('code')
				.textContent());
			assert.equal(code, 0, stderr);
			await shows(page, 'state', 'Canceled');
			await shows(page, 'over',
				'This is final, so the page has stopped watching.');
		});
	});
});

test('the last events come by themselves', async () => {
	await open(async (page) => {
		const { code, stderr } = await server.ctl(['trigger',
			'invoice.upcoming', 'invoice.voided', '--connections', '1']);
		assert.equal(code, 0, stderr);
		await page.waitForFunction(() => document.querySelector(
			'#events td:nth-child(2)')?.textContent.startsWith(
			'invoice.voided'), null, { timeout: 60000 });
		const rows = await page.$$eval('#events tr', (all) => all.slice(0, 2)
			.map((row) => [...row.cells].map(({ textContent: t }) => t)));
		assert.deepEqual(rows.map(([, , , outcome]) => outcome),
			['processed', 'ignored']);
		for (const [time, , , , ms] of rows) {
			assert.match(time, /^\d\d:\d\d:\d\d$/);
			assert.ok(Number(ms) > 0, ms);
		}
	});
});

describe('watching by an id', () => {
	async function watch(page, id, credential) {
		await page.click('summary');
		await page.fill('#id', id);
		await page.fill('#credential', credential);
		await page.press('#credential', 'Enter');
	}

	test('with the tool\'s token', async () => {
		const { stdout } = await server.ctl(['trigger', '--print', '--seed',
			'7', 'payment_intent.succeeded']);
		const { id } = JSON.parse(stdout).data.object;
		const token = (await server.ctl(['token', id])).stdout.trim();
		await open(async (page) => {
			await watch(page, id, token);
			await shows(page, 'detail', 'No event of it has come yet.');
			assert.equal((await server.ctl(['trigger', '--seed', '7',
				'payment_intent.succeeded'])).code, 0);
			await until(page, 'Paid');
		});
	});

	test('says what is wrong with a token', async () => {
		const token = (await server.ctl(['token', 'pi_other'])).stdout.trim();
		await open(async (page) => {
			await watch(page, 'pi_one', token);
			await page.waitForSelector('#over:visible');
			assert.match(await page.textContent('#over'), /token/i);
		}, { expected: /status of 401/ });
	});
});

test('by keyboard alone', async () => {
	await open(async (page) => {
		const focused = () => page.evaluate(() => {
			const { id, name, value, tagName } = document.activeElement;
			return id || (name && `${name}=${value}`) || tagName;
		});
		await page.keyboard.press('Tab');
		assert.equal(await focused(), 'scenario=one_time');
		for (let i = 0; i < 3; i++)
			await page.keyboard.press('ArrowDown');
		assert.equal(await focused(), 'scenario=debited');
		await page.keyboard.press('Tab');
		assert.equal(await focused(), 'go');
		const outline = await page.$eval('#go',
			(go) => getComputedStyle(go).outlineStyle);
		assert.equal(outline, 'solid');
		await page.keyboard.press('Enter');
		await until(page, 'Processing');
		assert.equal(await focused(), 'go');
		await page.keyboard.press('Tab');
		assert.equal(await focused(), 'SUMMARY');
		await page.keyboard.press('Enter');
		await page.keyboard.press('Tab');
		assert.equal(await focused(), 'id');
	});
});

test('without motion, if that is wanted', async () => {
	await open(async (page) => {
		await start(page, 'debited');
		await until(page, 'Processing');
		assert.equal(await page.evaluate(() =>
			document.getAnimations().length), 0);
	}, { reducedMotion: 'reduce' });
	await open(async (page) => {
		await start(page, 'debited');
		await until(page, 'Processing');
		assert.ok(await page.evaluate(() =>
			document.getAnimations().length) > 0);
	});
});

describe('accessible', { concurrency: true }, () => {
	// Rows that are scrolled out of sight can't be judged.
	async function examine(page, what) {
		await page.evaluate(AXE);
		const { violations, incomplete } = await page.evaluate(() => {
			document.getElementById('list').style.maxHeight = 'none';
			return window.axe.run(document);
		});
		const say = ({ id, nodes }) => `${what}: ${id}: ${nodes
			.slice(0, 3).map(({ target, failureSummary }) =>
				`${target} ${failureSummary}`).join('; ')}` +
			(nodes.length > 3 ? `; ${nodes.length} in all` : '');
		assert.deepEqual([...violations, ...incomplete].map(say), []);
		await page.evaluate(() => {
			document.getElementById('list').style.maxHeight = '';
		});
	}

	async function fits(page, what) {
		const over = await page.evaluate(() =>
			document.documentElement.scrollWidth - innerWidth);
		assert.ok(over <= 0, `${what}: ${over} px too wide`);
	}

	for (const colorScheme of ['light', 'dark'])
		for (const viewport of [DESK, PHONE])
			test(`${colorScheme}, ${viewport.width} px wide`, async () => {
				const name = `demo-${colorScheme}-${viewport.width}`;
				await open(async (page) => {
					const look = async (what) => {
						await page.waitForTimeout(500);
						await picture(page, `${name}-${what}`);
						await fits(page, what);
						await examine(page, what);
					};
					await look('first');
					await start(page, 'retried');
					await until(page, 'Declined');
					const { y } = await page.locator('#hero').boundingBox();
					assert.ok(y >= 0 && y < viewport.height, `at ${y} px`);
					await look('declined');
					await until(page, 'Paid');
					await page.click('summary');
					await look('paid');
					await page.click('summary');
					await start(page, 'debited');
					await until(page, 'Processing');
					await look('processing');
				}, { viewport, colorScheme, reducedMotion: 'reduce' });
			});
});

test('without STRIPEHOOK_DEMO it shows commands, and watches', async () => {
	const off = await Server.start({ env: { STRIPEHOOK_DEMO: '0' } });
	try {
		await open(async (page) => {
			assert.ok(!await page.isVisible('#go'));
			assert.match(await page.textContent('#off'), /STRIPEHOOK_DEMO=1/);
			await page.check('[value=retried]');
			const [command] = await page.$$eval('#commands code', (all) =>
				all.map(({ textContent }) => textContent));
			const [program, ...args] = command.split(' ');
			assert.equal(program, 'var/build/stripehookctl');
			assert.equal((await off.ctl([...args, '--rate', '100'])).code, 0);
			const listing = await off.ctl(['events', '--type',
				'payment_intent.*', '--limit', '5', '--json']);
			const { object_id: id } = JSON.parse(listing.stdout.split('\n')[0]);
			assert.ok(!await page.isVisible('#events'));
			await page.fill('#id', id);
			await page.fill('#credential',
				(await off.ctl(['token', id])).stdout.trim());
			await page.click('#watch button');
			await until(page, 'Paid');
			await picture(page, 'demo-off');
		}, { base: off.base, expected: /status of 404/ });
	} finally {
		await off.stop();
	}
});
