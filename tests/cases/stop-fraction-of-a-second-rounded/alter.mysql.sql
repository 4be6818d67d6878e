MODIFY v datetime
