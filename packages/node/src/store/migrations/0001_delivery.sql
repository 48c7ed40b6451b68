CREATE TABLE `progress` (
	`message` text NOT NULL,
	`device` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`at` integer NOT NULL,
	PRIMARY KEY(`message`, `device`)
);
--> statement-breakpoint
CREATE TABLE `retries` (
	`device` text PRIMARY KEY NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`token` blob PRIMARY KEY NOT NULL,
	`mailbox` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `tokens_mailbox` ON `tokens` (`mailbox`);--> statement-breakpoint
ALTER TABLE `outbox` ADD `state` text DEFAULT 'queued' NOT NULL;--> statement-breakpoint
ALTER TABLE `outbox` ADD `carriers` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `outbox` ADD `expires_at` integer DEFAULT 9007199254740991 NOT NULL;--> statement-breakpoint
ALTER TABLE `outbox` ADD `transient` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `outbox_message` ON `outbox` (`message`);--> statement-breakpoint
CREATE INDEX `outbox_expiry` ON `outbox` (`expires_at`);--> statement-breakpoint
ALTER TABLE `outbox` DROP COLUMN `attempts`;--> statement-breakpoint
ALTER TABLE `outbox` DROP COLUMN `next_at`;