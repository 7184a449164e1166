#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Lists all that pvabi's headers define, as calls of probe.c's macros: CONSTANT, TYPE, FIELD, PLACE.
# Usage: names.pl PREPROCESSED HEADER...; structures and enumerations are read from the preprocessed
# text, macros and typedefs from the headers themselves.
use strict;
use warnings;

my ($preprocessed, @headers) = @ARGV;

sub slurp {
    my ($name) = @_;
    local $/;
    open(my $f, '<', $name) or die "$name: $!\n";
    return scalar <$f>;
}

my @token;    # what is left of the preprocessed text

# Members of the structure whose opening brace was taken. $path is where it lies in $type.
sub members {
    my ($type, $path) = @_;
    while ((my $t = shift @token) ne '}') {
        my @inner;
        if (($t eq 'struct' || $t eq 'union') && ($token[0] eq '{' || $token[1] eq '{')) {
            shift @token if $token[0] ne '{';
            shift @token;
            my $depth = 1;
            while ($depth) {
                push @inner, shift @token;
                $depth++ if $inner[-1] eq '{';
                $depth-- if $inner[-1] eq '}';
            }
        }
        my ($name, $open_array);
        while (1) {
            $t = shift @token;
            if ($t eq '[') {
                $open_array = $token[0] eq ']';
                shift @token while $token[0] ne ']';
                shift @token;
            } elsif ($t eq ',' || $t eq ';') {
                die "$type: a member without a name\n" if !defined $name;
                print $open_array ? 'PLACE' : 'FIELD', "($type, $path$name)\n";
                if (@inner) {
                    my @rest = @token;
                    @token = @inner;
                    members($type, "$path$name.");
                    @token = @rest;
                }
                $open_array = 0;
                last if $t eq ';';
            } else {
                $name = $t;
            }
        }
    }
}

@token = slurp($preprocessed) =~ /\w+|[^\w\s]/g;
while (@token) {
    my $t = shift @token;
    if (($t eq 'struct' || $t eq 'union') && $token[1] eq '{') {
        my $type = "$t $token[0]";
        splice @token, 0, 2;
        print "TYPE($type)\n";
        members($type, '');
    } elsif ($t eq 'enum' && $token[1] eq '{') {
        splice @token, 0, 2;
        while ((my $name = shift @token) ne '}') {
            print "CONSTANT($name)\n";
            1 while shift(@token) ne ',';
        }
    }
}

# A macro of one argument is called with two that have bits everywhere. Macros without a value are
# include guards.
my $own = qr/PVABI_\w+|XEN_ERRNO_LIST|set_xen_guest_handle/;
for my $header (@headers) {
    my $text = slurp($header);
    while ($text =~ /^#define (\w+)(\((\w+)\))?[ \t]+\S/mg) {
        my ($name, $argument) = ($1, $3);
        next if $name =~ /^(?:$own)$/;
        print "CONSTANT($name)\n" if !defined $argument;
        print "CONSTANT($name(5ull))\nCONSTANT($name(0x8765432187654321ull))\n"
            if defined $argument;
    }
    print "TYPE($1)\n" while $text =~ /^typedef .*?(\w+)(?:\[\d+\])?;/mg;
}
