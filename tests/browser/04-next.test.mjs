// What README shows for Next.js, built as it stands there, and used.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
	ROOT, makeEvent, makePayment, newId, now, randomText,
} from '../integration/lib/events.mjs';
import { signal, sleep, until } from '../integration/lib/processes.mjs';
import { Server, freePort, run } from '../integration/lib/server.mjs';
import { StripeApi } from '../integration/lib/stripe-api.mjs';
import { launch, picture, shows } from './lib/chromium.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NEXT = path.join(HERE, 'node_modules/next/dist/bin/next');
const APP = process.env.STRIPEHOOK_TEST_APP ?? path.join(ROOT, 'var/next-app');

const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const section = (title, level) => readme.split(`\n${level} ${title}\n`)[1]
	.split(`\n${level} `)[0];

// The blocks of a section that begin with a comment of a file's name.
function examples(title) {
	return Object.fromEntries([...section(title, '##').matchAll(
		/^```\w+\n(?:\/\/|#) (\S+\/?\.?\S+)\n([^]*?)^```$/gm)]
		.map(([, name, text]) => [name, text]));
}

// What the examples say is the reader's own, or stands in another section.
const tokens = section('Tokens from your back end', '###');
const OWN = {
	'lib/status-token.js': /^```js\n([^]*?)^```$/m.exec(tokens)[1],
	'lib/auth.ts': `import { cookies } from "next/headers";
export async function currentUser() {
	const id = (await cookies()).get("user")?.value;
	return id === undefined ? null : { id };
}`,
	'lib/stripe.ts': `import Stripe from "stripe";
export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!, {
	host: "127.0.0.1", port: process.env.STRIPE_PORT, protocol: "http" });`,
	'app/refresh.tsx': `"use client";
import { useRouter } from "next/navigation";
export function Refresh() {
	const router = useRouter();
	return <button id="refresh" onClick={() => router.refresh()}>Again</button>;
}`,
	'app/layout.tsx': `import Link from "next/link";
import { Refresh } from "./refresh";
export default function Layout({ children }: { children: React.ReactNode }) {
	return <html lang="en"><body>
		<Link id="elsewhere" href="/elsewhere">Elsewhere</Link> <Refresh />
		<main id="main">{children}</main>
	</body></html>;
}`,
	'app/elsewhere/page.tsx': `export default function Elsewhere() {
	return <p id="here">Elsewhere</p>;
}`,
	'next.config.mjs': 'export default {};',
	'tsconfig.json': JSON.stringify({ compilerOptions: { target: 'ES2020',
		lib: ['dom', 'dom.iterable', 'esnext'], strict: true, noEmit: true,
		module: 'esnext', moduleResolution: 'bundler', jsx: 'preserve',
		skipLibCheck: true, esModuleInterop: true, isolatedModules: true,
		resolveJsonModule: true, allowJs: true, incremental: true,
		plugins: [{ name: 'next' }], paths: { '@/*': ['./*'] } },
	include: ['next-env.d.ts', '**/*.ts', '**/*.tsx', '.next/types/**/*.ts'],
	exclude: ['node_modules'] }),
	'package.json': JSON.stringify({ name: 'shop', private: true }),
};

function writeApp(files) {
	fs.rmSync(APP, { recursive: true, force: true });
	for (const [name, text] of Object.entries(files)) {
		const file = path.join(APP, name);
		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, text);
	}
	for (const name of ['stripehook-status.js', 'stripehook-status.d.ts'])
		fs.copyFileSync(path.join(ROOT, 'nginx/html', name),
			path.join(APP, 'lib', name));
	fs.symlinkSync(path.join(HERE, 'node_modules'),
		path.join(APP, 'node_modules'));
}

const api = new StripeApi();
let server, next, browser, origin;
before(async () => {
	const port = await freePort();
	origin = `http://localhost:${port}`;
	await api.listen();
	const files = examples('Show "payment received"');
	const env = files['.env.local'];
	assert.deepEqual([...env.matchAll(/^(\w+)=/gm)].map(([, key]) => key),
		['NEXT_PUBLIC_STRIPEHOOK_URL', 'STRIPEHOOK_STATUS_KEY']);
	const key = /^STRIPEHOOK_STATUS_KEY=(.+)$/m.exec(env)[1];
	server = await Server.start({ env: { STRIPEHOOK_STATUS_KEY: key,
		STRIPEHOOK_ALLOWED_ORIGINS: origin } });
	files['.env.local'] = env.replace('http://localhost:8000', server.base);
	assert.notEqual(files['.env.local'], env);
	writeApp({ ...OWN, ...files });
	const options = { cwd: APP, env: { ...process.env, NODE_ENV: undefined,
		NEXT_TELEMETRY_DISABLED: '1', STRIPE_SECRET_KEY: api.key,
		STRIPE_PORT: new URL(api.base).port } };
	const { code, stdout, stderr } =
		await run(process.execPath, [NEXT, 'build'], options);
	assert.equal(code, 0, stdout + stderr);
	next = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, NEXT,
		'start', '-p', String(port)], { ...options, stdio: 'ignore' });
	await until(() => fetch(origin).then(() => true, () => false), 'Next');
	browser = await launch();
}, { timeout: 1500000 });
after(async () => {
	await browser?.close();
	if (next?.exitCode === null) {
		signal(next.pid, 'SIGTERM');
		await once(next, 'exit');
	}
	api.close();
	await server?.stop();
});

async function open(t, url, user) {
	const context = await browser.newContext(
		{ viewport: { width: 640, height: 320 } });
	t.after(() => context.close());
	if (user !== undefined)
		await context.addCookies([{ name: 'user', value: user, url: origin }]);
	const page = await context.newPage();
	page.errors = [];
	page.on('pageerror', (error) => page.errors.push(error));
	page.answer = await page.goto(origin + url);
	return page;
}

async function deliver(type, object, fields = {}) {
	const { status } = await server.deliver(makeEvent(type,
		{ ...object, ...fields }));
	assert.equal(status, 200);
}

test('README has all the files', () => {
	assert.deepEqual(Object.keys(examples('Show "payment received"')),
		['.env.local', 'components/payment-status.tsx', 'app/paid/page.tsx',
			'app/thanks/page.tsx']);
});

const returnUrl = ({ id, client_secret: secret }) =>
	`/paid?payment_intent=${id}&payment_intent_client_secret=${secret}` +
	'&redirect_status=succeeded';

test('back from Stripe.js: waits, then the payment is received', async (t) => {
	const { data: { object } } = makePayment();
	const page = await open(t, returnUrl(object));
	await shows(page, 'main', 'Waiting for your payment …');
	await page.waitForFunction(() => !location.href.includes('_secret_'));
	assert.equal(page.url(), `${origin}/paid?payment_intent=${object.id}` +
		'&redirect_status=succeeded');
	await deliver('payment_intent.succeeded', object);
	await shows(page, 'main', 'Payment received. Thank you!');
	await picture(page, 'next-paid');
	assert.deepEqual(page.errors, []);
	await page.reload();
	await shows(page, 'main', 'Payment received. Thank you!');
	assert.ok(!page.url().includes('_secret_'));
});

test('the router keeps the secret away, and its way', async (t) => {
	const { data: { object } } = makePayment();
	await deliver('payment_intent.succeeded', object);
	const page = await open(t, returnUrl(object));
	await shows(page, 'main', 'Payment received. Thank you!');
	const refreshed = page.waitForResponse((answer) =>
		answer.request().headers().rsc === '1' &&
		answer.url().startsWith(`${origin}/paid`));
	await page.click('#refresh');
	await (await refreshed).finished();
	await sleep(500);
	assert.ok(!page.url().includes('_secret_'), page.url());
	await page.click('#elsewhere');
	await shows(page, 'main', 'Elsewhere');
	await page.goBack();
	await shows(page, 'main', 'Payment received. Thank you!');
	assert.ok(!page.url().includes('_secret_'), page.url());
	assert.deepEqual(page.errors, []);
});

test('a failure says why', async (t) => {
	const { data: { object } } = makePayment();
	const page = await open(t, returnUrl(object));
	await deliver('payment_intent.payment_failed', object, {
		status: 'requires_payment_method', last_payment_error: {
			type: 'card_error', code: 'card_declined',
			decline_code: 'insufficient_funds',
			message: 'Your card has insufficient funds.' } });
	await shows(page, 'main',
		'Your card has insufficient funds. Please try again.');
	await picture(page, 'next-failed');
});

test('without a secret: told so', async (t) => {
	const page = await open(t, `/paid?payment_intent=${newId('pi')}`);
	await shows(page, 'main', 'We could not look up your payment.');
});

test('hosted Checkout: a token for whose session it is', async (t) => {
	const id = `cs_test_a1${randomText(56)}`;
	const session = { id, object: 'checkout.session', created: now(),
		client_reference_id: '42', mode: 'payment', status: 'complete',
		payment_status: 'paid', payment_intent: newId('pi'), amount_total: 1500,
		currency: 'usd', client_secret: null, livemode: false, metadata: {} };
	api.put(session);
	const url = `/thanks?session_id=${id}`;
	for (const [user, why] of [[undefined, 'nobody'], ['43', 'another']]) {
		const page = await open(t, url, user);
		assert.equal(page.answer.status(), 404, why);
		assert.ok(!(await page.content()).includes('sht1.'), why);
	}
	const page = await open(t, url, '42');
	await shows(page, 'main', 'Waiting for your payment …');
	const { data: { object } } = makePayment({ id: session.payment_intent });
	await deliver('payment_intent.succeeded', object);
	await deliver('checkout.session.completed', session);
	await shows(page, 'main', 'Payment received. Thank you!');
	await picture(page, 'next-thanks');
	assert.deepEqual(page.errors, []);
	const unknown = await open(t, '/thanks?session_id=cs_test_unknown', '42');
	assert.equal(unknown.answer.status(), 404);
});

test('the keys and secrets are not in what browsers load', async () => {
	const key = server.env.STRIPEHOOK_STATUS_KEY;
	const dir = path.join(APP, '.next/static');
	const files = fs.readdirSync(dir, { recursive: true })
		.map((name) => path.join(dir, name))
		.filter((file) => fs.statSync(file).isFile());
	assert.ok(files.some((file) => fs.readFileSync(file, 'utf8')
		.includes('/api/webhooks/status/')));
	for (const file of files)
		assert.ok(!fs.readFileSync(file, 'utf8').includes(key), file);
	const access = fs.readFileSync(
		path.join(server.state, 'nginx/access.log'), 'utf8');
	assert.match(access, /GET \/api\/webhooks\/status\/pi_/);
	assert.ok(!/_secret_|sht1\./.test(access));
});
