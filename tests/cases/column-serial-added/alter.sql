ADD COLUMN n serial
