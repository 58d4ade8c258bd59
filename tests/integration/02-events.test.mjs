// Every fixture, both generations of payloads, in any order: the rows that
// the fixtures say.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
	Renamer, fixtureNames, lifecycleNames, newId, print, readFixture,
	readJson, readLifecycle, shuffle,
} from './lib/events.mjs';
import { Server } from './lib/server.mjs';

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

const ORDERS = 20;

// Where each of the fixtures' tables is read: ours, its key, columns of another
// name (null: we have none) and those that a view shows.
const TABLES = {
	payments: { key: 'stripe_payment_intent_id', view: 'admin_payments',
		fromView: ['stripe_invoice_id'] },
	invoices: { key: 'stripe_invoice_id', view: 'admin_invoices',
		fromView: ['stripe_subscription_id', 'payment_intent_id'],
		names: { payment_intent_id: 'stripe_payment_intent_id',
			period_start: null, period_end: null, price_id: null } },
	user_subscriptions: { key: 'stripe_subscription_id',
		names: { price_id: 'plan_id' } },
	plans: { key: 'plan_id', names: { price_id: 'plan_id' } },
	'plans(by product)': { table: 'products', key: 'product_id',
		names: { product_name: 'name', product_active: 'active' } },
	customers: { key: 'stripe_customer_id' },
	// A charge, which the fixtures see as part of its payment.
	charges: { key: 'stripe_charge_id', names: { charge_id: 'stripe_charge_id',
		charge_status: 'status', stripe_invoice_id: null } },
	checkout: { table: 'checkout_sessions', key: 'stripe_checkout_session_id',
		names: { session_id: 'stripe_checkout_session_id',
			customer: 'stripe_customer_id',
			subscription: 'stripe_subscription_id',
			payment_intent: 'stripe_payment_intent_id',
			invoice: 'stripe_invoice_id' } },
};

// What must come too before a fixture's rows are there: theirs are links
// between objects.
const COMPANIONS = {
	'invoice_payment.paid.basil.json': ['payment_intent.succeeded.basil.json',
		'invoice.payment_succeeded.basil.json'],
};

const TIME = /_at$|^created$|_start$|_end$|^cancel_at$|next_payment_attempt|due_/;

function toComparable(name, expected, value) {
	if (typeof expected === 'boolean')
		return value === '1';	// unknown is no
	if (value === null || value === undefined)
		return value;
	if (typeof expected === 'number' && TIME.test(name) &&
		/^\d{4}-\d\d-\d\d /.test(value))
		return Date.parse(`${value.replace(' ', 'T')}Z`) / 1000;
	if (typeof expected === 'number')
		return Number(value);
	if (expected !== null && typeof expected === 'object')
		return JSON.parse(value);
	return value;
}

async function readOne(table, key, id) {
	const rows = await server.sql(
		`SELECT * FROM ${table} WHERE ${key} = '${id}'`);
	assert.equal(rows.length, 1, `${table} ${id}: one row`);
	return rows[0];
}

// Compares our row with one of the fixtures'.
async function compare(name, expected) {
	const { table = name, key, names = {}, view, fromView = [] } = TABLES[name];
	const column = (field) => field in names ? names[field] : field;
	const fields = Object.keys(expected);
	const id = expected[fields.find((field) => column(field) === key)];
	const row = await readOne(table, key, id);
	const shown = view ? await readOne(view, key, id) : {};
	const found = {};
	const wanted = {};
	for (const field of fields.filter((f) => column(f) !== null)) {
		const source = fromView.includes(field) ? shown : row;
		assert.ok(column(field) in source,
			`${table} has no column ${column(field)}`);
		wanted[field] = expected[field];
		found[field] = toComparable(field, expected[field],
			source[column(field)]);
	}
	assert.deepEqual(found, wanted, `${table} ${id}`);
}

const expectedRows = readJson('fixtures/expected_rows.json');

describe('single events', () => {
	for (const name of fixtureNames())
		test(name, async () => {
			const names = new Renamer();
			const body = names.text(readFixture(name));
			const { id, type } = JSON.parse(body);
			assert.equal((await server.deliver(body)).status, 200);
			const event = await server.event(id);
			assert.equal(event.error, null);
			assert.equal(event.status, 'processed');
			assert.equal(event.event_type, type);
			assert.ok(event.payload.equals(Buffer.from(body)),
				'the payload is what was sent');
			for (const other of COMPANIONS[name] ?? [])
				assert.equal((await server.deliver(
					names.text(readFixture(other)))).status, 200);
			assert.ok(name in expectedRows, 'somebody expects something of it');
			for (const [table, row] of Object.entries(expectedRows[name]))
				await compare('charge_id' in row ? 'charges' : table,
					names.value(row));
		});

	for (const generation of ['2024-06-20', 'basil'])
		test(`a refund shows at its payment, ${generation}`, async () => {
			const names = new Renamer();
			for (const type of ['charge.refunded', 'payment_intent.succeeded'])
				assert.equal((await server.deliver(names.text(
					readFixture(`${type}.${generation}.json`)))).status, 200);
			const row = await readOne('admin_payments', 'latest_charge',
				names.name('ch_30MfdzB7WZ01zgkW1SThFbal'));
			assert.equal(row.amount, '15.00');
			assert.equal(row.amount_refunded, '5.00');
			assert.equal(row.refunded, '0');
			assert.equal(row.disputed, '0');
			assert.equal(row.status, 'succeeded');
		});
});

describe('lifecycles in any order', () => {
	for (const folder of lifecycleNames()) {
		const { expected, events } = readLifecycle(folder);
		test(`${folder}: ${ORDERS} orders, with duplicates`, async () => {
			const checks = [];
			for (let seed = 1; seed <= ORDERS; seed++) {
				const names = new Renamer();
				const bodies = events.map(({ body }) => names.text(body));
				const order = shuffle([...bodies,
					...bodies.filter((_, i) => (i + seed) % 3 === 0)], seed);
				// Alternately one after another and all at once.
				if (seed % 2 === 0) {
					for (const body of order)
						assert.equal((await server.deliver(body)).status, 200);
				} else {
					const answers = await Promise.all(
						order.map((body) => server.deliver(body)));
					for (const { status } of answers)
						assert.equal(status, 200);
				}
				checks.push({ seed, names });
			}
			for (const { seed, names } of checks)
				for (const [table, rows] of Object.entries(expected.rows))
					for (const row of rows)
						await compare(table, names.value(row)).catch((error) => {
							error.message = `order ${seed}: ${error.message}`;
							throw error;
						});
		});
	}
});

describe('what is kept of an event', () => {
	test('the body, byte for byte, however it was printed', async () => {
		const event = JSON.parse(readFixture(
			'customer.created.basil.json'));
		const bodies = [
			(e) => JSON.stringify(e),
			(e) => `${print(e)}\n`,
			(e) => print(e).replaceAll('\n', '\r\n'),
			(e) => print(e).replaceAll('jenny', '\\u006aenny'),
			(e) => print({ ...e, data: { object: { ...e.data.object,
				name: 'Zoë 🐘 & <b>"q"</b> \u2028' } } }),
			(e) => ` \t${print(e)}  `,
		];
		for (const make of bodies) {
			const id = newId('evt');
			const body = make({ ...event, id });
			assert.equal((await server.deliver(body)).status, 200);
			assert.ok((await server.event(id)).payload
				.equals(Buffer.from(body)), body.slice(0, 80));
		}
	});
});
