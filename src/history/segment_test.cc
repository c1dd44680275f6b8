#include "history/segment.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/test_folder.h"

namespace muster::history {
namespace {

using testing::ElementsAre;
using What = HistoryRecord::What;
using Why = HistoryRecord::Why;

std::vector<HistoryRecord> records_of(std::string_view segment) {
    std::vector<HistoryRecord> all;
    for (const BlockPlace& place : find_blocks(segment)) {
        const auto batch = decode_block(segment, place);
        EXPECT_TRUE(batch.has_value());
        EXPECT_TRUE(for_each_record(*batch, [&](const RecordView& view) {
            auto record = view.read();
            EXPECT_TRUE(record.has_value());
            all.push_back(*std::move(record));
        }));
    }
    return all;
}

std::string block_of(std::initializer_list<TestRecord> records) {
    Batch batch;
    for (const TestRecord& record : records) {
        record.add_to(batch);
    }
    return encode_block(batch, {});
}

TEST(HistorySegment, TellsWhatWasNoted) {
    const TestRecord first{.number = 80};
    const TestRecord second{.service = "stock",
                            .at_ms = first.at_ms - 500,  // the clock was set back
                            .number = 81,
                            .what = What::removed,
                            .why = Why::session_ended,
                            .cause = RemovalCause::silent};
    const std::string segment = block_of({first, second});
    EXPECT_THAT(records_of(segment), ElementsAre(first.expected(), second.expected()));
    const auto places = find_blocks(segment);
    ASSERT_EQ(places.size(), 1U);
    EXPECT_EQ(places[0].head.first_ms, second.at_ms);
    EXPECT_EQ(places[0].head.last_ms, first.at_ms);
}

TEST(HistorySegment, TellsWhoAskedAndWhatItDoesNotKnowOfALaterReleaseIsPassedOver) {
    const TestRecord named{.what = What::drained, .why = Why::marked, .asked_by = "ana@ops1"};
    const TestRecord nameless{.number = 2, .what = What::restored, .why = Why::marked};
    EXPECT_THAT(records_of(block_of({named, nameless})),
                ElementsAre(named.expected(), nameless.expected()));

    Batch batch;
    named.add_to(batch);
    std::string later;
    ASSERT_TRUE(for_each_record(batch.bytes(), [&](const RecordView& view) {
        later = std::string(view.rest()) + "what a later release adds";
    }));
    EXPECT_EQ(RecordView(named.at_ms, path_of("orders"), later).read(), named.expected());
}

// What was written before records had the name of who asked.
TEST(HistorySegment, ReadsRecordsOfBeforeTheyNamedWhoAsked) {
    std::ifstream in(MUSTER_SOURCE_ROOT "/tests/corpus/history_segment_fuzz/file_whole",
                     std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(in), {}};
    ASSERT_FALSE(seed.empty());
    const auto all = records_of(std::string_view(seed).substr(1));
    ASSERT_FALSE(all.empty());
    for (const HistoryRecord& record : all) {
        EXPECT_EQ(record.asked_by, "");
        EXPECT_NE(record.by, NodeId{});
    }
}

TEST(HistorySegment, CutsWhatIsTooLong) {
    TestRecord record;
    Publication publication = record.publication();
    publication.id = RegistId(std::string(5000, 'x'));
    publication.boxes = Boxes(std::vector<std::string>(100, std::string(500, 'y')));
    Batch batch;
    batch.add({.at = {record.at_ms},
               .slot = SlotId(3),
               .publication = publication,
               .by = "session-1",
               .version = {}});
    const auto told = records_of(encode_block(batch, {}));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].id.raw().size(), 1024U);
    EXPECT_EQ(told[0].addresses.size(), 8U);
    EXPECT_EQ(told[0].addresses[0].size(), 64U);
    EXPECT_EQ(told[0].version, Version{});
}

TEST(HistorySegment, IsReadUpToTheTear) {
    const std::string first = block_of({{.number = 1}});
    const std::string second = block_of({{.number = 2}});
    const std::string whole = first + second;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::size_t expected = size >= first.size() ? 1 : 0;
        EXPECT_EQ(records_of(std::string_view(whole).substr(0, size)).size(), expected) << size;
    }
}

TEST(HistorySegment, PassesOverWhatIsBroken) {
    const std::string first = block_of({{.number = 1}});
    const std::string second = block_of({{.number = 2}});
    for (std::size_t at = 0; at < first.size(); ++at) {
        std::string broken = first + second;
        broken[at] = static_cast<char>(broken[at] ^ 0x10);
        EXPECT_THAT(records_of(broken), ElementsAre(TestRecord{.number = 2}.expected())) << at;
    }
}

TEST(HistorySegment, SaysInItsTrailerWhatItHas) {
    SegmentIndex index;
    Batch batch;
    TestRecord{.service = "orders"}.add_to(batch);
    TestRecord{.service = "stock", .at_ms = 1'700'000'000'500}.add_to(batch);
    index.add(batch, {.from_ms = 1, .to_ms = 2, .records = 3});
    const std::string trailer = encode_trailer(index);
    const auto read = decode_trailer("what is before it" + trailer);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->first_ms, 1'700'000'000'000);
    EXPECT_EQ(read->last_ms, 1'700'000'000'500);
    EXPECT_EQ(read->records, 2U);
    EXPECT_EQ(read->lost, (HistoryLoss{.from_ms = 1, .to_ms = 2, .records = 3}));
    EXPECT_TRUE(read->services.may_have(path_of("orders")));
    EXPECT_TRUE(read->services.may_have(path_of("stock")));
    EXPECT_FALSE(read->services.may_have(path_of("prices")));
    EXPECT_EQ(read->services.bytes().size(), ServiceFilter::kBytesMin);
    for (std::size_t at = 0; at < trailer.size(); ++at) {
        std::string broken = trailer;
        broken[at] = static_cast<char>(broken[at] ^ 0x10);
        EXPECT_FALSE(decode_trailer(broken).has_value()) << at;
        EXPECT_FALSE(decode_trailer(std::string_view(trailer).substr(at + 1)).has_value());
    }
}

TEST(HistorySegment, FindsOutWithoutTrailerWhatItHas) {
    const std::string segment = block_of({{.service = "orders"}, {.service = "stock"}});
    const SegmentIndex index = SegmentIndex::of(segment + "torn");
    EXPECT_EQ(index.records, 2U);
    EXPECT_TRUE(index.services.may_have(path_of("stock")));
    EXPECT_FALSE(index.services.may_have(path_of("prices")));
}

TEST(ServiceFilter, NeverDeniesWhatIsThereAndSeldomClaimsWhatIsNot) {
    constexpr int kServices = 10'000;
    ServiceFilter filter;
    for (int i = 0; i < kServices; ++i) {
        filter.add("there" + std::to_string(i));
    }
    filter.shrink();
    int claimed = 0;
    for (int i = 0; i < kServices; ++i) {
        EXPECT_TRUE(filter.may_have("there" + std::to_string(i)));
        claimed += filter.may_have("elsewhere" + std::to_string(i)) ? 1 : 0;
    }
    EXPECT_LT(claimed, kServices / 20);
}

}  // namespace
}  // namespace muster::history
