// Fills a database with events as if they had been delivered, in bulk: copies
// of one that was, with ids and times of their own.
const CHUNK = 100000;
const PER_SECOND = 20;		// events, while those were delivered

// Ids as bench-load makes them, and older: at their end stands chance.
const id = (prefix) => `CONCAT('${prefix}', '10', ` +
	`LPAD(CONV(seq DIV ${PER_SECOND}, 10, 36), 5, '0'), ` +
	`SUBSTR(MD5(seq), 1, 11), 'load')`;
const EVENT = id('evt_');
const PAYMENT = id('pi_');

// How many seconds ago, for the n-th of them.
const AGO = (n) => `INTERVAL (${n} - seq) DIV ${PER_SECOND} + 60 SECOND`;

// Columns of a table that differ from copy to copy; the rest is the sample's.
const columns = (n) => ({
	event_journal: { stripe_event_id: EVENT, object_id: PAYMENT,
		created: `created - ${AGO(n)}`, created_at: `created_at - ${AGO(n)}`,
		processed_at: `processed_at - ${AGO(n)}` },
	payments: { stripe_payment_intent_id: PAYMENT, source_event_id: EVENT,
		created: `created - ${AGO(n)}` },
	event_payloads: { stripe_event_id: EVENT,
		created_at: `created_at - ${AGO(n)}`,
		payload: `REPLACE(REPLACE(payload, (SELECT stripe_event_id FROM ` +
			`event_journal LIMIT 1), ${EVENT}), (SELECT object_id FROM ` +
			`event_journal LIMIT 1), ${PAYMENT})` },
});

async function copy(db, database, table, changed, from, to) {
	const names = (await db.sql('SELECT column_name FROM ' +
		'information_schema.columns WHERE table_schema = ' +
		`'${database}' AND table_name = '${table}'`)).split('\n');
	const values = names.map((name) => changed[name] ?? name);
	await db.sql(`USE ${database}; INSERT INTO ${table} (${names.join(', ')}) ` +
		`SELECT ${values.join(', ')} FROM (SELECT * FROM ${table} ` +
		`ORDER BY 1 DESC LIMIT 1) sample, seq_${from}_to_${to}`);
}

// The database holds one event; then n more. The newest have payloads, as
// many as payloads says: older ones have been pruned.
export async function fill(bench, db, database, n, payloads) {
	for (const [table, changed] of Object.entries(columns(n))) {
		const first = table === 'event_payloads' ? n - payloads + 1 : 1;
		for (let from = first; from <= n; from += CHUNK) {
			bench.progress(`filling ${table}: ${from} of ${n}`);
			await copy(db, database, table, changed, from,
				Math.min(n, from + CHUNK - 1));
		}
	}
}

// Bytes that each table takes on disk, its indexes included.
export const diskBytes = async (db, database) => Object.fromEntries(
	(await db.sql('SELECT SUBSTRING_INDEX(NAME, \'/\', -1), FILE_SIZE FROM ' +
		'information_schema.INNODB_SYS_TABLESPACES WHERE NAME LIKE ' +
		`'${database.replaceAll('_', '\\_')}/%'`)).split('\n')
		.map((line) => line.split('\t'))
		.map(([name, bytes]) => [name, Number(bytes)]));
