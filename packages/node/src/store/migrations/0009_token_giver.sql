DROP INDEX `tokens_mailbox`;--> statement-breakpoint
ALTER TABLE `tokens` ADD `giver` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `tokens_mailbox` ON `tokens` (`mailbox`,`giver`);