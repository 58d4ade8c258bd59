// What tests ask a database: each time in a session of its own.
import mysql from 'mysql2/promise';

const CONNECT_MS = 600000;	// to one that is stopped: until it goes on

// Runs statements, separated by semicolons; resolves to the rows of the last one
// that has rows, arrays of texts and null, and to the names of their columns.
export async function query(socketPath, text, { user = 'root', password = '',
	database } = {}) {
	const connection = await mysql.createConnection({ socketPath, user,
		password, database, charset: 'utf8mb4', multipleStatements: true,
		connectTimeout: CONNECT_MS, typeCast: (field) => field.string() });
	try {
		const [result, fields] =
			await connection.query({ sql: text, rowsAsArray: true });
		const single = fields === undefined || fields[0]?.name !== undefined;
		const sets = single ? [[result, fields]] :
			result.map((set, i) => [set, fields[i]]);
		const [rows, columns] = sets.findLast(([, of]) => of) ?? [[], []];
		return { rows, names: columns.map(({ name }) => name) };
	} catch (error) {
		throw new Error(`${text.slice(0, 200)}: ${error.message}`);
	} finally {
		await connection.end().catch(() => {});
	}
}

// Whether there is a server that answers.
export const answers = (socketPath) => query(socketPath, 'DO 1')
	.then(() => true, () => false);
