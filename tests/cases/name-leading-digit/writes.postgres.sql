UPDATE "1e5x" SET "1e5x2" = 'w', "1e5x" = "1e5x" + 1000 WHERE "1e5x1" < 5;
DELETE FROM "1e5x" WHERE "1e5x1" = 7;
