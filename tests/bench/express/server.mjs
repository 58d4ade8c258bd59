// The reference in Node: Express, Stripe's SDK and mysql2, as their
// documentation shows them; a process per core, a pool of connections in each.
import cluster from 'node:cluster';
import fs from 'node:fs';
import express from 'express';
import mysql from 'mysql2/promise';
import Stripe from 'stripe';

const { SOCKET, PROCESSES, DB_SOCKET, DB_NAME, WEBHOOK_SECRET } = process.env;

const EVENT = 'INSERT IGNORE INTO webhook_events (id, type, payload, ' +
	'created, received_at) VALUES (?, ?, ?, FROM_UNIXTIME(?), NOW(6))';
const PAYMENT = 'INSERT INTO payments (id, status, amount, currency, ' +
	'customer, user_id, updated) VALUES (?, ?, ?, ?, ?, ?, ' +
	'FROM_UNIXTIME(?)) ON DUPLICATE KEY UPDATE ' +
	'status = IF(VALUES(updated) >= updated, VALUES(status), status), ' +
	'amount = IF(VALUES(updated) >= updated, VALUES(amount), amount), ' +
	'customer = IF(VALUES(updated) >= updated, VALUES(customer), customer), ' +
	'user_id = IF(VALUES(updated) >= updated, VALUES(user_id), user_id), ' +
	'updated = GREATEST(updated, VALUES(updated))';

async function store(pool, event, body) {
	const connection = await pool.getConnection();
	try {
		await connection.beginTransaction();
		const [result] = await connection.execute(EVENT,
			[event.id, event.type, body, event.created]);
		const payment = event.data.object;
		if (result.affectedRows === 1 && payment.object === 'payment_intent')
			await connection.execute(PAYMENT, [payment.id, payment.status,
				payment.amount, payment.currency, payment.customer,
				payment.metadata.user_id ?? null, event.created]);
		await connection.commit();
	} catch (error) {
		await connection.rollback();
		throw error;
	} finally {
		connection.release();
	}
}

function serve() {
	const stripe = new Stripe('sk_test_bench');
	const pool = mysql.createPool({ socketPath: DB_SOCKET, user: 'root',
		database: DB_NAME, connectionLimit: 10 });
	const app = express();

	app.post('/api/webhooks/stripe/', express.raw({ type: 'application/json' }),
		async (request, response) => {
			let event;
			try {
				event = stripe.webhooks.constructEvent(request.body,
					request.headers['stripe-signature'], WEBHOOK_SECRET);
			} catch (error) {
				response.status(400).send(`Webhook Error: ${error.message}`);
				return;
			}
			try {
				await store(pool, event, request.body);
				response.json({ received: true });
			} catch (error) {
				console.error(error.message);
				response.status(503).json({ error: 'database' });
			}
		});
	// nginx keeps its connections open for a minute.
	const server = app.listen(SOCKET);
	server.keepAliveTimeout = 75000;
}

if (cluster.isPrimary) {
	fs.rmSync(SOCKET, { force: true });
	for (let i = 0; i < Number(PROCESSES); i++)
		cluster.fork();
	cluster.on('exit', () => process.exit(1));
	process.on('SIGTERM', () => process.exit(0));
} else {
	serve();
}
