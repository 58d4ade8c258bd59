// The signature vectors: by the tool as they stand, over HTTP re-made for the
// present time with the same defect.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
	hmac, makePayment, now, print, readJson, sign,
} from './lib/events.mjs';
import { WEBHOOK, sendRaw } from './lib/http.mjs';
import { Server } from './lib/server.mjs';

const { vectors } = readJson('signature-vectors.json');
const TOLERANCE = 300;
const SECRETS = [...new Set(vectors.filter((v) => v.expect === 'accept')
	.map((v) => v.secret))];

let server;
before(async () => {
	server = await Server.start({
		env: { STRIPE_WEBHOOK_SECRET: SECRETS.join(',') } });
});
after(() => server?.stop());

const bodyOf = (v) => Buffer.from(v.payload_b64 ?? '', 'base64');

describe('stripehookctl verify', () => {
	for (const v of vectors) {
		// An argument can't hold a NUL byte.
		if (v.header?.includes('\0'))
			continue;
		test(v.id, async () => {
			const dir = fs.mkdtempSync(path.join(server.dir, 'verify-'));
			const file = path.join(dir, 'body');
			const secret = path.join(dir, 'secret');
			fs.writeFileSync(file, bodyOf(v));
			fs.writeFileSync(secret, v.secret);
			const { code, stdout, stderr } = await server.ctl(['verify',
				'--now', String(v.now), '--tolerance', String(v.tolerance),
				'--header', v.header ?? '', '--secret-file', secret, file]);
			const accepted = v.expect === 'accept';
			assert.equal(stdout.split('\n')[0],
				accepted ? 'accept' : `reject: ${v.code}`, stderr);
			assert.equal(code, accepted ? 0 : 1);
			assert.ok(!`${stdout}${stderr}`.includes(v.secret.trim()),
				'the secret is not shown');
		});
	}

	test('a body on standard input, the secret from the settings', async () => {
		const body = print(makePayment());
		const { code, stdout, stderr } = await server.ctl(['verify', '--header',
			sign(body, SECRETS[0]), '-'], { input: body });
		assert.equal(stdout.split('\n')[0], 'accept', stderr);
		assert.equal(code, 0);
	});

	test('usage', async () => {
		assert.equal((await server.ctl(['verify'])).code, 2);
		assert.equal((await server.ctl(['verify', '--header', 't=1'])).code, 2);
	});
});

// The vector as of now: its t moved, as old as it was as far as the server's
// tolerance goes, and each v1 that was right made right again.
function atPresent(v) {
	const t = String(v.timestamp);
	let age = v.now - v.timestamp;
	if (Math.abs(age) > v.tolerance && v.tolerance !== 0)
		age = Math.sign(age) * (TOLERANCE + 10 + Math.abs(age) - v.tolerance);
	else if (age >= TOLERANCE - 10)
		age = TOLERANCE - 10;	// exactly 300 is for the tool's test
	if (v.tolerance === 0)
		age = 0;		// there it is off
	const fresh = String(now() - age);
	const body = bodyOf(v);
	const items = v.header.split(',');
	// t as it is written: "+1700000000", "001700000000", "1700000000=1".
	const written = items.map((item) => /^\s*t=(.*)$/.exec(item)?.[1])
		.filter((text) => text !== undefined);
	const move = (text) => text.replace(t, fresh);
	const resign = (value, secrets) => {
		for (const secret of secrets)
			for (const text of [...written, t])
				if (hmac(secret, text, body) === value)
					return hmac(secret, move(text), body);
		return value;
	};
	const secrets = new Set([...SECRETS, v.secret,
		...vectors.map((other) => other.secret)]);
	return items.map((item) => {
		const [, name, value] = /^(\s*[^=]*)=?(.*)$/s.exec(item);
		if (name.trim() === 't' && item.includes('='))
			return `${name}=${move(value)}`;
		const again = resign(value.trim(), secrets);
		return again === value.trim() ? item :
			`${name}=${value.replace(value.trim(), again)}`;
	}).join(',');
}

// What a good signature leads to.
function isEvent(body) {
	try {
		const { id, type, object } = JSON.parse(body.toString());
		return Boolean(id && type && /event$/.test(object));
	} catch {
		return false;
	}
}

describe('over HTTP', () => {
	for (const v of vectors) {
		if (v.free)
			continue;
		// nginx refuses a NUL in a header before anybody sees it.
		const code = v.header?.includes('\0') ? 'bad_request' : v.code;
		// These are about a secret that is not the server's: mirrored, the
		// signer has the wrong one.
		const wrong = v.expect === 'reject' && !SECRETS.includes(v.secret);
		test(v.id, async () => {
			const body = bodyOf(v);
			const signature = v.header === null || v.header === '' ? null :
				wrong ? sign(body, v.secret) : atPresent(v);
			const answer = await deliverRaw(body, signature);
			if (v.expect === 'reject') {
				assert.equal(answer.status, 400);
				assert.equal(answer.json.error.code, code);
			} else if (answer.status !== 200) {
				assert.equal(answer.status, 400);
				assert.match(answer.json.error.code, /^(bad_json|no_event)$/);
				const stored = isEvent(body) && JSON.parse(body).created;
				assert.ok(!stored, answer.text);
			}
			if (v.expect === 'reject')
				assert.ok(answer.json.error.message.length > 10);
		});
	}

	// Node refuses to send some of these headers, so byte by byte.
	async function deliverRaw(body, signature) {
		const head = [`POST ${WEBHOOK} HTTP/1.1`, 'Host: localhost',
			'Content-Type: application/json', 'Connection: close',
			`Content-Length: ${body.length}`];
		if (signature !== null)
			head.push(`Stripe-Signature: ${signature}`);
		const answer = await sendRaw(server.httpPort, [Buffer.concat([
			Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])]);
		return { ...answer, json: JSON.parse(answer.body) };
	}

	const event = () => print(makePayment());
	const cases = {
		'too old': { sign: (body) => sign(body, SECRETS[0], now() - 310),
			code: 'too_old' },
		'too new': { sign: (body) => sign(body, SECRETS[0], now() + 310),
			code: 'too_new' },
		'old, but within tolerance': {
			sign: (body) => sign(body, SECRETS[0], now() - 290) },
		'ahead, but within tolerance': {
			sign: (body) => sign(body, SECRETS[0], now() + 290) },
		'one of three signatures is right': { sign: (body) => {
			const t = now();
			return `t=${t},v1=${hmac('x', t, body)},v1=${'0'.repeat(64)},` +
				`v1=${hmac(SECRETS.at(-1), t, body)}`;
		} },
		'a right v0 only': { sign: (body) => sign(body, SECRETS[0])
			.replace('v1=', 'v0='), code: 'no_signature' },
		'a right signature of another time': { sign: (body) => sign(body,
			SECRETS[0]).replace(/t=\d+/, `t=${now() - 7}`), code: 'mismatch' },
		'a right signature of another body': {
			sign: (body) => sign(`${body} `, SECRETS[0]), code: 'mismatch' },
		'two times': { sign: (body) => `t=${now() - 1},` +
			sign(body, SECRETS[0]), code: 'bad_header' },
		'every secret signs': { sign: (body) => `t=${now()}` + SECRETS.map(
			(secret) => `,v1=${hmac(secret, now(), body)}`).join('') },
	};
	for (const [name, { sign: make, code }] of Object.entries(cases))
		test(name, async () => {
			const body = event();
			const answer = await server.deliver(body,
				{ signature: make(body) });
			assert.equal(answer.status, code ? 400 : 200, answer.text);
			assert.equal(answer.json.error?.code, code);
			assert.equal((await server.event(JSON.parse(body).id))?.status,
				code ? undefined : 'processed');
		});

	test('two headers: one of them counts', async () => {
		const body = event();
		for (const list of [[sign(body, SECRETS[0]), sign(body, 'x')],
			[sign(body, 'x'), sign(body, SECRETS[0])]]) {
			const answer = await server.deliver(body,
				{ headers: { 'Stripe-Signature': list } });
			assert.ok([200, 400].includes(answer.status), answer.text);
		}
	});

	test('only whsec is wrong: the message tells the usual causes', async () => {
		const body = event();
		const { json } = await server.deliver(body,
			{ signature: sign(body, 'whsec_of_another_endpoint') });
		assert.equal(json.error.code, 'mismatch');
		assert.match(json.error.message, /stripe listen/);
		assert.match(json.error.message, /rolled/);
	});

	test('underscores and case of the header\'s name', async () => {
		const body = event();
		const lower = await server.deliver(body, { signature: null,
			headers: { 'stripe-signature': sign(body, SECRETS[0]) } });
		assert.equal(lower.status, 200);
		const underscore = await server.deliver(event(), { signature: null,
			headers: { Stripe_Signature: sign(body, SECRETS[0]) } });
		assert.equal(underscore.json.error.code, 'no_header');
	});
});
