-- What the receivers that stripehook is measured against store: each event
-- once, and the payment that it is about.
CREATE TABLE IF NOT EXISTS webhook_events (
	id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	type VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	payload MEDIUMTEXT NOT NULL,
	created DATETIME NOT NULL,
	received_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS payments (
	id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	status VARCHAR(32) NOT NULL,
	amount BIGINT NOT NULL,
	currency CHAR(3) NOT NULL,
	customer VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	user_id VARCHAR(500) NULL,
	updated DATETIME NOT NULL,
	PRIMARY KEY (id),
	KEY customer (customer)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4;
