// The README's examples of status tokens: what they make is what the vectors
// have and what stripehookctl makes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT, readJson } from './lib/events.mjs';
import { BUILD, run } from './lib/server.mjs';

const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const section = /^### Tokens from your back end\n(.*?)^##/ms.exec(readme)[1];
const { vectors } = readJson('token-vectors.json');
const valid = vectors.filter(({ expect }) => expect === 'ok');

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-'));
after(() => fs.rmSync(dir, { recursive: true }));

const languages = {
	js: { program: 'node', file: 'token.mjs', call:
		'console.log(statusToken(...process.argv.slice(2)));' },
	python: { program: 'python3', file: 'token.py', call:
		'import sys\nprint(status_token(*sys.argv[1:]))' },
	php: { program: 'php', file: 'token.php', call:
		'echo status_token(...array_slice($argv, 1)), "\\n";' },
};

async function token(language, keys, ...args) {
	const { program, file } = languages[language];
	const { code, stdout, stderr } = await run(program,
		[path.join(dir, file), ...args],
		{ env: { ...process.env, STRIPEHOOK_STATUS_KEY: keys } });
	assert.equal(code, 0, stderr);
	assert.equal(stderr, '');
	return stdout.trimEnd();
}

for (const [language, { file, call }] of Object.entries(languages))
	describe(language, () => {
		const blocks = [...section.matchAll(
			new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))];

		test('one example, of ten lines at most', () => {
			assert.equal(blocks.length, 1);
			const [, code] = blocks[0];
			assert.ok(code.split('\n').length - 1 <= 10);
			fs.writeFileSync(path.join(dir, file), `${code}\n${call}\n`);
		});

		for (const v of valid)
			test(`vector ${v.name}`, async () => {
				const expires = v.token.split('.')[1];
				// Of several keys the vector doesn't say which one signed.
				const made = await Promise.all(v.keys.map((key) =>
					token(language, key, v.id, expires)));
				assert.equal(made.filter((text) => text === v.token).length,
					1, made.join(' '));
			});

		test('as stripehookctl makes it, with the first key', async () => {
			const keys = `${'k'.repeat(32)} ,${'x'.repeat(40)}`;
			const { code, stdout, stderr } = await run(
				path.join(BUILD, 'stripehookctl'),
				['-c', '/dev/null', 'token', 'cs_test_a1'],
				{ env: { PATH: process.env.PATH,
					STRIPEHOOK_STATUS_KEY: keys } });
			assert.equal(code, 0, stderr);
			assert.equal(await token(language, keys, 'cs_test_a1',
				stdout.split('.')[1]), stdout.trim());
		});

		test('expires after a quarter of an hour', async () => {
			const now = Math.floor(Date.now() / 1000);
			const made = await token(language, 'k'.repeat(32), 'pi_1');
			const [, expires] = /^sht1\.(\d+)\.[0-9a-f]{64}$/.exec(made);
			assert.ok(expires - now >= 899 && expires - now <= 960, expires);
		});
	});

test("the section's own vector", async () => {
	const [, command, digits] =
		/^ {4}\$ (printf .*)\n {4}([0-9a-f]{64}) /m.exec(section);
	const { stdout } = await run('sh', ['-c', command]);
	assert.equal(stdout.slice(0, 64), digits);
	assert.equal(valid[0].token, `sht1.1790000300.${digits}`);
});

test('there are vectors of every kind', () => {
	assert.ok(valid.length >= 8);
	for (const code of ['bad_credential', 'forged_token', 'expired_token'])
		assert.ok(vectors.some(({ expect }) => expect === code), code);
});
