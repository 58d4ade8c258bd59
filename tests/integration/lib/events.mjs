// Signed events, made from the fixtures or from scratch.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TESTS = path.resolve(path.dirname(fileURLToPath(import.meta.url)),
	'../..');
export const ROOT = path.dirname(TESTS);
export const FIXTURES = path.join(TESTS, 'fixtures');

export const now = () => Math.floor(Date.now() / 1000);

const ALPHABET =
	'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export function randomText(length) {
	let text = '';
	for (const byte of crypto.randomBytes(length))
		text += ALPHABET[byte % ALPHABET.length];
	return text;
}
export const newId = (prefix) => `${prefix}_1${randomText(23)}`;

export const hmac = (secret, text, body) => crypto
	.createHmac('sha256', secret).update(`${text}.`).update(body).digest('hex');
export const sign = (body, secret, t = now()) =>
	`t=${t},v1=${hmac(secret, String(t), body)}`;

export const readFixture = (name) =>
	fs.readFileSync(path.join(FIXTURES, name));
export const readJson = (file) =>
	JSON.parse(fs.readFileSync(path.join(TESTS, file), 'utf8'));

export const fixtureNames = () => fs.readdirSync(FIXTURES)
	.filter((name) => name.endsWith('.json') && name !== 'expected_rows.json');

// A folder's events (name, body) and what it says must come out of them.
export function readLifecycle(folder) {
	const dir = path.join(FIXTURES, 'lifecycle', folder);
	const expected = JSON.parse(
		fs.readFileSync(path.join(dir, 'expected.json'), 'utf8'));
	const events = fs.readdirSync(dir).sort()
		.filter((name) => name !== 'expected.json')
		.map((name) => ({ name, body: fs.readFileSync(path.join(dir, name)) }));
	return { expected, events };
}
export const lifecycleNames = () =>
	fs.readdirSync(path.join(FIXTURES, 'lifecycle')).sort();

const STRIPE_ID = new RegExp('\\b(evt|pi|seti|in|inpay|il|ii|sub|si|cus|ch|py' +
	'|pyr|re|dp|du|txn|price|plan|prod|cs_test|cs|pm|card|req|sub_sched|mbur)' +
	'_([A-Za-z0-9]{8,})', 'g');

// Renames Stripe ids, the same one always to the same new one of equal length.
export class Renamer {
	#names = new Map();

	name(id) {
		if (!this.#names.has(id)) {
			const at = id.lastIndexOf('_') + 1;
			this.#names.set(id, id.slice(0, at) + id[at] +
				randomText(id.length - at - 1));
		}
		return this.#names.get(id);
	}

	text(text) {
		return String(text).replace(STRIPE_ID, (id) => this.name(id));
	}

	// The same in what JSON.parse returned.
	value(value) {
		return JSON.parse(this.text(JSON.stringify(value)));
	}
}

// Stripe's way to print, so that bodies look like real ones.
export const print = (event) => JSON.stringify(event, null, 2);

// An event of any type around an object; id and time are new.
export function makeEvent(type, object, extra = {}) {
	return {
		id: newId('evt'), object: 'event', api_version: '2025-08-27.basil',
		created: now(), data: { object }, livemode: false,
		pending_webhooks: 1, request: { id: null, idempotency_key: null },
		type, ...extra,
	};
}

const paymentTemplate = JSON.parse(
	readFixture('payment_intent.succeeded.basil.json'));
export function makePayment(object = {}, extra = {}) {
	const id = newId('pi');
	return makeEvent('payment_intent.succeeded', {
		...paymentTemplate.data.object, id, created: now(),
		client_secret: `${id}_secret_${randomText(25)}`,
		latest_charge: newId('ch'), ...object,
	}, extra);
}

// Bodies for load, quickly made: as makePayment's, with a link to an invoice.
const parts = print(makePayment({ id: '\u0001', client_secret: '\u0002',
	invoice: '\u0004' }, { id: '\u0003' })).split(/\\u000([1234])/);
export function quickPayment() {
	const id = newId('evt');
	const pi = newId('pi');
	const values = ['', pi, `${pi}_secret_${randomText(25)}`, id, newId('in')];
	let body = '';
	for (let i = 0; i < parts.length; i++)
		body += i % 2 === 0 ? parts[i] : values[Number(parts[i])];
	return { id, pi, body };
}

// Random order, the same for the same seed.
export function shuffle(list, seed) {
	let state = seed >>> 0;
	const random = () => {
		state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0;
		return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
	};
	const result = [...list];
	for (let i = result.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[result[i], result[j]] = [result[j], result[i]];
	}
	return result;
}
