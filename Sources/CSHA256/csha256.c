// SHA-256 by the processor's instructions, for the many short inputs of a tree. swift-crypto does the same work in the same
// instructions, and spends twice as much on a context from the heap, which it clears three times, for every 65 bytes.
#include "csha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

int csha256_is_available(void) {
    static int known;  // 0 not asked yet, 1 no, 2 yes: whoever asks first writes what anybody would
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        unsigned a, b = 0, c = 0, d;
        int has_sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
        answer = has_sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) ? 2 : 1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

__attribute__((target("sha,sse4.1,ssse3"))) static void compress(__m128i state[2], const uint8_t *bytes, size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef = state[0], cdgh = state[1];
    for (; blocks > 0; blocks--, bytes += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i words[4];
        for (int i = 0; i < 4; i++)
            words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), big_endian);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            if (i >= 4) {
                __m128i sum = _mm_sha256msg1_epu32(words[i & 3], words[(i + 1) & 3]);
                sum = _mm_add_epi32(sum, _mm_alignr_epi8(words[(i + 3) & 3], words[(i + 2) & 3], 4));
                words[i & 3] = _mm_sha256msg2_epu32(sum, words[(i + 3) & 3]);
            }
            const __m128i round = _mm_add_epi32(words[i & 3], _mm_load_si128((const __m128i *)(constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, round);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(round, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    state[0] = abef;
    state[1] = cdgh;
}

// Two blocks at a time from two inputs: a round waits for the one before it, and meanwhile the processor has room for
// the other input's.
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_pair(__m128i first[2], const uint8_t *first_bytes,
                                                                      __m128i second[2], const uint8_t *second_bytes,
                                                                      size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[2] = {first[0], second[0]}, cdgh[2] = {first[1], second[1]};
    const uint8_t *bytes[2] = {first_bytes, second_bytes};
    for (; blocks > 0; blocks--, bytes[0] += 64, bytes[1] += 64) {
        const __m128i abef_before[2] = {abef[0], abef[1]}, cdgh_before[2] = {cdgh[0], cdgh[1]};
        __m128i words[2][4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 2; k++)
                words[k][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes[k] + 16 * i)), big_endian);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            const __m128i constant = _mm_load_si128((const __m128i *)(constants + 4 * i));
            __m128i round[2];
#pragma clang loop unroll(full)
            for (int k = 0; k < 2; k++) {
                if (i >= 4) {
                    __m128i sum = _mm_sha256msg1_epu32(words[k][i & 3], words[k][(i + 1) & 3]);
                    sum = _mm_add_epi32(sum, _mm_alignr_epi8(words[k][(i + 3) & 3], words[k][(i + 2) & 3], 4));
                    words[k][i & 3] = _mm_sha256msg2_epu32(sum, words[k][(i + 3) & 3]);
                }
                round[k] = _mm_add_epi32(words[k][i & 3], constant);
            }
            cdgh[0] = _mm_sha256rnds2_epu32(cdgh[0], abef[0], round[0]);
            cdgh[1] = _mm_sha256rnds2_epu32(cdgh[1], abef[1], round[1]);
            abef[0] = _mm_sha256rnds2_epu32(abef[0], cdgh[0], _mm_shuffle_epi32(round[0], 0x0E));
            abef[1] = _mm_sha256rnds2_epu32(abef[1], cdgh[1], _mm_shuffle_epi32(round[1], 0x0E));
        }
        for (int k = 0; k < 2; k++) {
            abef[k] = _mm_add_epi32(abef[k], abef_before[k]);
            cdgh[k] = _mm_add_epi32(cdgh[k], cdgh_before[k]);
        }
    }
    first[0] = abef[0], first[1] = cdgh[0];
    second[0] = abef[1], second[1] = cdgh[1];
}

#define INITIAL_STATE                                                                                                  \
    {_mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),                                          \
     _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19)}

// The last one or two blocks: what is left of the input, the padding and the length. Returns how many.
static size_t make_tail(uint8_t tail[128], const uint8_t *bytes, size_t length) {
    const size_t rest = length % 64, size = rest < 56 ? 64 : 128;
    memset(tail, 0, size);
    if (rest > 0) memcpy(tail, bytes + (length - rest), rest);
    tail[rest] = 0x80;
    const uint64_t bits = __builtin_bswap64((uint64_t)length * 8);
    memcpy(tail + size - 8, &bits, 8);
    return size / 64;
}

__attribute__((target("sha,sse4.1,ssse3"))) static void finish(const __m128i state[2], void *digest) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    const __m128i feba = _mm_shuffle_epi32(state[0], 0x1B), dchg = _mm_shuffle_epi32(state[1], 0xB1);
    const __m128i dcba = _mm_blend_epi16(feba, dchg, 0xF0), hgfe = _mm_alignr_epi8(dchg, feba, 8);
    _mm_storeu_si128((__m128i *)digest, _mm_shuffle_epi8(dcba, big_endian));
    _mm_storeu_si128((__m128i *)digest + 1, _mm_shuffle_epi8(hgfe, big_endian));
}

__attribute__((target("sha,sse4.1,ssse3"))) void csha256(const void *bytes, size_t length, void *digest) {
    __m128i state[2] = INITIAL_STATE;
    compress(state, bytes, length / 64);
    uint8_t tail[128];
    compress(state, tail, make_tail(tail, bytes, length));
    finish(state, digest);
}

__attribute__((target("sha,sse4.1,ssse3"))) void csha256_pair(const void *first, size_t first_length,
                                                              const void *second, size_t second_length,
                                                              void *first_digest, void *second_digest) {
    __m128i a[2] = INITIAL_STATE, b[2] = INITIAL_STATE;
    const size_t a_blocks = first_length / 64, b_blocks = second_length / 64;
    const size_t both = a_blocks < b_blocks ? a_blocks : b_blocks;
    compress_pair(a, first, b, second, both);
    compress(a, (const uint8_t *)first + 64 * both, a_blocks - both);
    compress(b, (const uint8_t *)second + 64 * both, b_blocks - both);
    uint8_t a_tail[128], b_tail[128];
    const size_t a_tails = make_tail(a_tail, first, first_length), b_tails = make_tail(b_tail, second, second_length);
    const size_t both_tails = a_tails < b_tails ? a_tails : b_tails;
    compress_pair(a, a_tail, b, b_tail, both_tails);
    compress(a, a_tail + 64 * both_tails, a_tails - both_tails);
    compress(b, b_tail + 64 * both_tails, b_tails - both_tails);
    finish(a, first_digest);
    finish(b, second_digest);
}

#else

int csha256_is_available(void) { return 0; }

void csha256(const void *bytes, size_t length, void *digest) {
    (void)bytes, (void)length, (void)digest;
    __builtin_trap();
}

void csha256_pair(const void *first, size_t first_length, const void *second, size_t second_length, void *first_digest,
                  void *second_digest) {
    (void)first, (void)first_length, (void)second, (void)second_length, (void)first_digest, (void)second_digest;
    __builtin_trap();
}

#endif
