#include "raft/record_log.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace muster::raft {
namespace {

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(kDigits[byte >> 4U]);
        out.push_back(kDigits[byte & 15U]);
    }
    return out;
}

// The example of docs/protocol/meta_log.md.
std::string example_segment() {
    std::string bytes =
        encode_segment_header({.sequence = 3, .first = LogIndex(17), .term = Term(2)});
    append_record(bytes, 3, 0,
                  {.type = RecordType::command,
                   .term = Term(2),
                   .index = LogIndex(17),
                   .durable_bytes = kSegmentHeaderBytes,
                   .payload = "hello"});
    const std::uint64_t durable = bytes.size();
    append_record(bytes, 3, 0,
                  {.type = RecordType::seal,
                   .term = Term(2),
                   .index = LogIndex(17),
                   .durable_bytes = durable,
                   .payload = {}});
    return bytes;
}

TEST(RecordLog, HasTheBytesOfTheFormatPage) {
    EXPECT_EQ(to_hex(example_segment()),
              "4d5553544c4f470a000000010000000000000003000000000000001100000000"
              "000000025edd45ec067938bc0000000501000000000000000200000000000000"
              "11000000000000002868656c6c6fa9b9248c0000000002000000000000000200"
              "00000000000011000000000000004e");
    EXPECT_EQ(to_hex(encode_snapshot(LogIndex(16), Term(1), "state")),
              "4d555354534e500a000000010000000000000010000000000000000100000000"
              "00000005310d2a54737461746566db68df");
    EXPECT_EQ(segment_name(3), "log-0000000000000003.mlog");
    EXPECT_EQ(snapshot_name(LogIndex(16)), "snapshot-0000000000000010.msnap");
}

TEST(RecordLog, ReadsBackWhatItWrote) {
    const std::string bytes = example_segment();
    const auto scan = scan_segment(bytes);
    ASSERT_TRUE(scan.has_value());
    EXPECT_EQ(scan->header.sequence, 3U);
    ASSERT_EQ(scan->commands.size(), 1U);
    EXPECT_EQ(scan->commands[0].payload, "hello");
    EXPECT_EQ(scan->commands[0].term, Term(2));
    EXPECT_EQ(scan->last, LogIndex(17));
    EXPECT_EQ(scan->valid_bytes, bytes.size());
    EXPECT_FALSE(scan->damaged_after_durable);
}

TEST(RecordLog, TakesNoPayloadThatLooksLikeRecordsForAny) {
    // A torn command whose payload holds a whole record of another place.
    std::string forged;
    append_record(forged, 3, 500,
                  {.type = RecordType::seal, .index = LogIndex(17), .durable_bytes = 100});
    std::string bytes =
        encode_segment_header({.sequence = 3, .first = LogIndex(17), .term = Term(2)});
    append_record(bytes, 3, 0,
                  {.index = LogIndex(17),
                   .durable_bytes = kSegmentHeaderBytes,
                   .payload = forged + forged + std::string(50, 'x')});
    const auto scan = scan_segment(std::string_view(bytes).substr(0, bytes.size() - 10));
    ASSERT_TRUE(scan.has_value());
    EXPECT_TRUE(scan->commands.empty());
    EXPECT_FALSE(scan->damaged_after_durable);
}

TEST(RecordLog, ReadsATornPayloadOfFalseHeadersInBoundedTime) {
    // Every 40 bytes something that could be a record of almost a megabyte.
    std::string headers;
    while (headers.size() < (std::size_t{4} << 20)) {
        std::string header;
        append_big_endian(header, std::uint32_t{0});
        append_big_endian(header, std::uint32_t{900'000});
        header.push_back(1);
        append_big_endian(header, std::uint64_t{2});
        append_big_endian(header, std::uint64_t{18});
        append_big_endian(header, std::uint64_t{41});
        headers += header;
    }
    std::string bytes =
        encode_segment_header({.sequence = 3, .first = LogIndex(17), .term = Term(2)});
    append_record(
        bytes, 3, 0,
        {.index = LogIndex(17), .durable_bytes = kSegmentHeaderBytes, .payload = headers});
    const auto scan = scan_segment(std::string_view(bytes).substr(0, bytes.size() - 1));
    ASSERT_TRUE(scan.has_value());
    EXPECT_TRUE(scan->commands.empty());
    EXPECT_TRUE(scan->damaged_after_durable);
}

TEST(RecordLog, StopsAtRecordsThatAreOutOfOrder) {
    for (const std::uint64_t index : {16U, 18U, 19U}) {
        std::string bytes =
            encode_segment_header({.sequence = 3, .first = LogIndex(17), .term = Term(2)});
        append_record(bytes, 3, 0,
                      {.index = LogIndex(index), .durable_bytes = kSegmentHeaderBytes});
        const auto scan = scan_segment(bytes);
        ASSERT_TRUE(scan.has_value());
        EXPECT_TRUE(scan->commands.empty());
        EXPECT_EQ(scan->valid_bytes, kSegmentHeaderBytes);
    }
}

TEST(RecordLog, TellsAnotherFormatFromDamage) {
    std::string segment = example_segment().substr(0, kSegmentHeaderBytes);
    segment[11] = 9;
    EXPECT_EQ(scan_segment(segment).error().code, Errc::corrupt);
    segment.resize(kSegmentHeaderBytes - 4);
    append_big_endian(segment, crc32c(segment));
    EXPECT_EQ(scan_segment(segment).error().code, Errc::refused);
}

TEST(RecordLog, NoticesEveryFlippedBitAndCutOfASnapshot) {
    const std::string good = encode_snapshot(LogIndex(16), Term(1), "some state");
    ASSERT_TRUE(decode_snapshot(good).has_value());
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(decode_snapshot(bad).has_value()) << bit;
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(decode_snapshot(std::string_view(good).substr(0, size)).has_value());
    }
}

TEST(RecordLog, ReadsOnlyItsOwnFileNames) {
    EXPECT_EQ(parse_segment_name("log-00000000000000ff.mlog"), 255U);
    for (const auto* name : {"log-ff.mlog", "log-00000000000000fg.mlog", "log-00000000000000ff.tmp",
                             "snapshot-00000000000000ff.msnap", "", "log-.mlog"}) {
        EXPECT_FALSE(parse_segment_name(name).has_value()) << name;
    }
    EXPECT_EQ(parse_snapshot_name("snapshot-0000000000000010.msnap"), LogIndex(16));
}

}  // namespace
}  // namespace muster::raft
