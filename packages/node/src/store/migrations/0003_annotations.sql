CREATE TABLE `annotations` (
	`contact` text NOT NULL,
	`target` text NOT NULL,
	`own` integer NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`value` text NOT NULL,
	`hlc_ms` integer NOT NULL,
	`hlc_counter` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`contact`, `target`, `own`, `kind`)
);
--> statement-breakpoint
CREATE INDEX `annotations_id` ON `annotations` (`id`);--> statement-breakpoint
ALTER TABLE `messages` ADD `kind` text DEFAULT 'text' NOT NULL;--> statement-breakpoint
ALTER TABLE `messages` ADD `reply_to` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `shared` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `disappear_after_ms` integer;--> statement-breakpoint
ALTER TABLE `messages` ADD `disappear_at` integer;--> statement-breakpoint
ALTER TABLE `messages` ADD `edited_at` integer;--> statement-breakpoint
ALTER TABLE `messages` ADD `deleted_at` integer;--> statement-breakpoint
ALTER TABLE `messages` ADD `own_reaction` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `contact_reaction` text;--> statement-breakpoint
CREATE INDEX `messages_timer` ON `messages` (`contact`,`hlc_ms`,`hlc_counter`) WHERE kind = 'timer';--> statement-breakpoint
CREATE INDEX `messages_disappear` ON `messages` (`disappear_at`) WHERE disappear_at is not null;--> statement-breakpoint
CREATE INDEX `messages_unread_timer` ON `messages` (`contact`) WHERE disappear_after_ms is not null and disappear_at is null;