-- What was tried with an event: how its delivery ended, each replay, its
-- dismissal. Rows are only ever added.
CREATE TABLE IF NOT EXISTS event_attempts (
	stripe_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	attempted_at DATETIME(6) NOT NULL,
	status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	error VARCHAR(500) NULL,
	actor VARCHAR(255) NOT NULL,
	PRIMARY KEY (stripe_event_id, attempted_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Payloads of which members were blanked, and which. Rows that were made from
-- them keep their values.
CREATE TABLE IF NOT EXISTS redactions (
	stripe_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	paths TEXT NOT NULL,
	redacted_at DATETIME(6) NOT NULL,
	PRIMARY KEY (stripe_event_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
