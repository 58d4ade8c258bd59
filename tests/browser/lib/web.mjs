// A web server of the shop's: its pages, the module, and the way to stripehook
// as a proxy, which a test can make a bad one.
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../integration/lib/events.mjs';

const PAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)),
	'../page');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript',
	'.css': 'text/css' };

export class Web {
	requests = [];		// { url, referrer, way, status }
	buffers = false;	// as a proxy that passes nothing on before the end
	#open = new Set();	// [answer, res] being passed on

	// target: stripehook's origin. dir: of the pages.
	static async listen(target, dir = PAGE) {
		const web = new Web();
		web.target = new URL(target);
		web.dir = dir;
		web.http = http.createServer((req, res) => {
			if (req.url.startsWith('/api/'))
				web.#pass(req, res);
			else
				web.#serve(req, res);
		});
		web.http.listen(0, '127.0.0.1');
		await once(web.http, 'listening');
		web.origin = `http://127.0.0.1:${web.http.address().port}`;
		return web;
	}

	#serve(req, res) {
		let { pathname } = new URL(req.url, this.origin);
		if (pathname === '/')
			pathname = '/index.html';
		const file = pathname === '/stripehook-status.js' ?
			path.join(ROOT, 'nginx/html', pathname) :
			path.join(this.dir, path.normalize(pathname));
		if (!fs.existsSync(file) || !fs.statSync(file).isFile()) {
			res.writeHead(404).end();
			return;
		}
		res.writeHead(200, { 'Cache-Control': 'no-store',
			'Content-Type': TYPES[path.extname(file)] ??
				'application/octet-stream' });
		fs.createReadStream(file).pipe(res);
	}

	#pass(req, res) {
		const { accept, referer: referrer } = req.headers;
		const entry = { url: req.url, referrer,
			way: accept === 'text/event-stream' ? 'stream' :
				/[?&]wait=/.test(req.url) ? 'wait' : 'poll' };
		this.requests.push(entry);
		const { request } = this.target.protocol === 'https:' ? https : http;
		const up = request(this.target, { method: req.method, path: req.url,
			headers: req.headers, rejectUnauthorized: false }, (answer) => {
			entry.status = answer.statusCode;
			if (!this.buffers) {
				res.writeHead(answer.statusCode, answer.headers);
				res.flushHeaders();
				answer.pipe(res);
				this.#open.add([answer, res]);
				answer.on('error', () => res.destroy());
				return;
			}
			const chunks = [];
			answer.on('data', (chunk) => chunks.push(chunk));
			answer.on('error', () => res.destroy());
			answer.on('end', () => {
				res.writeHead(answer.statusCode, answer.headers);
				res.end(Buffer.concat(chunks));
			});
		});
		up.on('error', () => res.destroy());
		res.on('close', () => up.destroy());
		req.pipe(up);
	}

	// What is being answered goes silent, as when a network is left.
	hang() {
		for (const [answer, res] of this.#open)
			answer.unpipe(res).resume();
		this.#open.clear();
	}

	get ways() {
		return this.requests.map(({ way }) => way).join(' ');
	}

	close() {
		this.http.closeAllConnections?.();
		return new Promise((closed) => this.http.close(closed));
	}
}
