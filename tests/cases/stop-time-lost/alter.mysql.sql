MODIFY v date
