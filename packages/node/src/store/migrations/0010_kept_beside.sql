ALTER TABLE `outbox` ADD `content` blob;--> statement-breakpoint
ALTER TABLE `proofs` ADD `subject` blob;--> statement-breakpoint
ALTER TABLE `proofs` ADD `device_list` blob;