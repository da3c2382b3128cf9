#ifndef CQUIC_H
#define CQUIC_H
#endif
