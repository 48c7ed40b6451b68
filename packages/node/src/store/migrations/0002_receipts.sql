CREATE TABLE `receipts` (
	`device` text NOT NULL,
	`message` text NOT NULL,
	`read` integer NOT NULL,
	PRIMARY KEY(`device`, `message`, `read`)
);
