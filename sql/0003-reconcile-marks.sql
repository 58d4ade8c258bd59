-- Objects whose newest snapshot the payloads can't tell, or whose state went
-- backwards: reconciliation fetches them from Stripe. A mark that further
-- events made needless is no longer open.
CREATE TABLE IF NOT EXISTS reconcile_marks (
	object_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	table_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	open TINYINT(1) NOT NULL,
	marked_at DATETIME(6) NOT NULL,
	PRIMARY KEY (object_id, account, livemode),
	KEY open (open, marked_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
