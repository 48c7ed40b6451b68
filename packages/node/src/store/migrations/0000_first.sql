CREATE TABLE `contacts` (
	`account` text PRIMARY KEY NOT NULL,
	`account_key` blob NOT NULL,
	`petname` text NOT NULL,
	`claimed_name` text NOT NULL,
	`state` text NOT NULL,
	`trust` text NOT NULL,
	`card` blob NOT NULL,
	`list_version` integer NOT NULL,
	`relays` text NOT NULL,
	`blocked` integer NOT NULL,
	`muted` integer NOT NULL,
	`added_at` integer NOT NULL,
	`pending_invite` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `contacts_petname_unique` ON `contacts` (`petname`);--> statement-breakpoint
CREATE TABLE `devices` (
	`device` text PRIMARY KEY NOT NULL,
	`account` text NOT NULL,
	`dh_key` blob NOT NULL,
	`last_seen` integer,
	`card_sent` integer NOT NULL,
	`bundle` blob NOT NULL,
	`handover` blob NOT NULL
);
--> statement-breakpoint
CREATE INDEX `devices_account` ON `devices` (`account`);--> statement-breakpoint
CREATE TABLE `digests` (
	`digest` blob PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `digests_expiry` ON `digests` (`expires_at`);--> statement-breakpoint
CREATE TABLE `identity` (
	`id` integer PRIMARY KEY NOT NULL,
	`account_seed` blob NOT NULL,
	`device_seed` blob NOT NULL,
	`dh_secret` blob NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `invites` (
	`secret` blob PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked` integer NOT NULL,
	`admitted` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `messages` (
	`id` text NOT NULL,
	`sender` text NOT NULL,
	`contact` text NOT NULL,
	`direction` text NOT NULL,
	`text` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`created_at` integer NOT NULL,
	`hlc_ms` integer NOT NULL,
	`hlc_counter` integer NOT NULL,
	`received_at` integer,
	`delivered_at` integer,
	PRIMARY KEY(`id`, `sender`)
);
--> statement-breakpoint
CREATE INDEX `messages_conversation` ON `messages` (`contact`,`hlc_ms`,`hlc_counter`,`id`);--> statement-breakpoint
CREATE TABLE `one_time_prekeys` (
	`id` integer PRIMARY KEY NOT NULL,
	`device` text NOT NULL,
	`secret` blob NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `one_time_prekeys_device` ON `one_time_prekeys` (`device`,`expires_at`);--> statement-breakpoint
CREATE INDEX `one_time_prekeys_expiry` ON `one_time_prekeys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`device` text NOT NULL,
	`message` text NOT NULL,
	`contact` text NOT NULL,
	`seq` integer NOT NULL,
	`sealed` blob NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	PRIMARY KEY(`device`, `message`)
);
--> statement-breakpoint
CREATE INDEX `outbox_order` ON `outbox` (`device`,`seq`);--> statement-breakpoint
CREATE TABLE `prekeys` (
	`id` integer PRIMARY KEY NOT NULL,
	`secret` blob NOT NULL,
	`kem_seed` blob NOT NULL,
	`created_at` integer NOT NULL,
	`superseded_at` integer
);
--> statement-breakpoint
CREATE TABLE `sequences` (
	`device` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`device` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`state` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `settings` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
