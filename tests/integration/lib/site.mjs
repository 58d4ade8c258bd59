// The production site, as it is installed, before the workers of a server: an
// nginx of its own with Debian's bounds, on free ports.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { ROOT } from './events.mjs';
import { request } from './http.mjs';
import { alive, signal, until } from './processes.mjs';
import { freePort } from './server.mjs';

const NGINX = path.join(ROOT, 'nginx');

export class Site {
	// name: of its directory. origins: the text of stripehook-origins.conf.
	// statusSocket: instead of the server's. edit: changes the site's text.
	static async start(server, { name = 'site', origins, statusSocket,
		edit = (text) => text } = {}) {
		const site = new Site();
		site.dir = path.join(server.dir, name);
		site.port = await freePort();
		site.base = `https://127.0.0.1:${site.port}`;
		site.agent = new https.Agent({ keepAlive: true, maxSockets: 64,
			rejectUnauthorized: false });
		site.#write(server, origins, statusSocket, await freePort(), edit);
		site.process = spawn('setpriv', ['--pdeathsig', 'TERM', 'nginx',
			'-e', path.join(site.dir, 'error.log'), '-p', site.dir,
			'-c', path.join(site.dir, 'nginx.conf')],
		{ stdio: 'ignore' });
		await until(() => request(`${site.base}/`, { agent: site.agent })
			.then(() => true, () => false), 'nginx of the site')
			.catch((error) => {
				site.stop();
				throw new Error(`${error.message}: ${site.log()}`);
			});
		return site;
	}

	#write(server, origins, statusSocket, httpPort, edit) {
		const certificate = path.join(server.state, 'nginx/localhost');
		const sockets = path.join(server.state, 'run');
		fs.cpSync(path.join(NGINX, 'snippets'),
			path.join(this.dir, 'snippets'), { recursive: true });
		if (origins !== undefined)
			fs.writeFileSync(path.join(this.dir,
				'snippets/stripehook-origins.conf'), origins);
		const text = edit(fs.readFileSync(
			path.join(NGINX, 'stripehook-site.conf'), 'utf8')
			.replace(/\/etc\/ssl\/certs\/[^;]*/, `${certificate}.pem`)
			.replace(/\/etc\/ssl\/private\/[^;]*/, `${certificate}.key`)
			.replaceAll('/var/log/nginx', this.dir)
			.replaceAll('unix:/run/stripehook/status.sock',
				`unix:${statusSocket ?? `${sockets}/status.sock`}`)
			.replaceAll('/run/stripehook', sockets)
			.replace(/listen \[::\].*\n/g, '')
			.replace('listen 443 ', `listen 127.0.0.1:${this.port} `)
			.replace('listen 80;', `listen 127.0.0.1:${httpPort};`));
		fs.writeFileSync(path.join(this.dir, 'site.conf'), text);
		const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
			.map((what) => `${what}_temp_path ${this.dir}/${what};`);
		fs.writeFileSync(path.join(this.dir, 'nginx.conf'), [
			process.getuid() === 0 ? 'user root;' : '', 'daemon off;',
			'worker_processes 2;', `pid ${this.dir}/nginx.pid;`,
			'events { worker_connections 768; }', 'http {', ...temporary,
			'gzip on; gzip_types application/json text/event-stream;',
			// Tests come from many addresses.
			'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;',
			'include site.conf;', '}', ''].join('\n'));
	}

	get(route, { from = '192.0.2.1', headers, ...options } = {}) {
		return request(this.base + route, { agent: this.agent, ...options,
			headers: { 'X-Forwarded-For': from, ...headers } });
	}

	log() {
		return fs.readFileSync(path.join(this.dir, 'error.log'), 'utf8');
	}

	// By force, so that nothing that still waits holds it up.
	async stop() {
		this.agent.destroy();
		signal(this.process.pid, 'SIGTERM');
		await until(() => !alive(this.process.pid), 'end of the site');
	}
}
