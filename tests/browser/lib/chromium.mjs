// Debian's Chromium, without a screen, and pictures of what it shows.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { ROOT } from '../../integration/lib/events.mjs';

const PICTURES = process.env.STRIPEHOOK_TEST_PICTURES ??
	path.join(ROOT, 'var/browser');

// As root it has no sandbox; what it loads is the tests' own.
export const launch = () => chromium.launch({
	executablePath: process.env.STRIPEHOOK_TEST_CHROMIUM ?? '/usr/bin/chromium',
	args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});

export async function picture(page, name) {
	fs.mkdirSync(PICTURES, { recursive: true });
	await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

// Until an element's text is this.
export async function shows(page, id, text, timeout = 60000) {
	await page.waitForFunction(([name, wanted]) =>
		document.getElementById(name)?.textContent === wanted, [id, text],
	{ timeout, polling: 20 }).catch(async (error) => {
		throw new Error(`#${id} is "${await page.textContent(`#${id}`)}", ` +
			`not "${text}": ${error.message}`);
	});
}
