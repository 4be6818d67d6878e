MODIFY v float
