MODIFY id bigint NOT NULL
