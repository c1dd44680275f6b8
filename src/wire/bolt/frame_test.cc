#include <gtest/gtest.h>

#include "base/bytes.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::bolt {
namespace {

const FrameHead kCrcRequest{
    .protocol = kProtocol2, .version = 2, .request_id = 7, .switches = 1, .timeout_ms = 1000};

std::string request(std::string_view class_name, std::string_view content, FrameHead head = {}) {
    std::string bytes;
    append_frame(bytes, {.head = head, .class_name = class_name, .content = content});
    return bytes;
}

Decode outcome_of(std::string_view bytes, const FrameLimits& limits = {}) {
    return decode_frame(bytes, limits).outcome;
}

TEST(FrameDecoder, TellsAnotherProtocolByTheFirstByte) {
    EXPECT_EQ(outcome_of("GET / HTTP/1.1\r\n"), Decode::not_mine);
    EXPECT_EQ(outcome_of(std::string_view("\0", 1)), Decode::not_mine);
    EXPECT_EQ(outcome_of(""), Decode::need_more);
}

TEST(FrameDecoder, RefusesUnknownTypesCommandsAndVersionsAsSoonAsItSeesThem) {
    EXPECT_EQ(outcome_of("\x01\x03"), Decode::broken);
    EXPECT_EQ(outcome_of(std::string_view("\x01\x01\x00\x03", 4)), Decode::broken);
    EXPECT_EQ(outcome_of(std::string_view("\x01\x01\x00\x02", 4)), Decode::broken);  // a response's
    EXPECT_EQ(outcome_of(std::string_view("\x01\x00\x00\x01", 4)), Decode::broken);  // a request's
    EXPECT_EQ(outcome_of(std::string_view("\x02\x03\x01", 3)), Decode::broken);
    EXPECT_EQ(outcome_of(std::string_view("\x02\x00\x01", 3)), Decode::broken);
}

TEST(FrameDecoder, RefusesNegativeLengths) {
    for (const std::size_t at : {14U, 16U, 18U}) {
        std::string bytes = request("", "");
        bytes[at] = '\x80';
        EXPECT_EQ(outcome_of(bytes), Decode::broken) << at;
    }
}

TEST(FrameDecoder, RefusesTooLongFramesBeforeTheirContentArrives) {
    std::string bytes = request("", "");
    bytes[18] = 0x7f;
    EXPECT_EQ(outcome_of(bytes), Decode::too_big);
    EXPECT_EQ(outcome_of(request("", std::string(79, 'x')), {.frame_bytes_max = 100}),
              Decode::too_big);
    EXPECT_EQ(outcome_of(request("", std::string(78, 'x')), {.frame_bytes_max = 100}),
              Decode::message);
    EXPECT_EQ(outcome_of(request("abcde", ""), {.class_name_bytes_max = 4}), Decode::too_big);
}

TEST(FrameDecoder, ReadsNegativeIdsUnknownStatusesAndHeaderSections) {
    const Frame frame{.head = {.type = FrameType::response,
                               .command = Command::response,
                               .request_id = -1,
                               .status = static_cast<Status>(0x7777)},
                      .class_name = "C",
                      .header_section = "header",
                      .content = "content"};
    std::string bytes;
    append_frame(bytes, frame);
    EXPECT_EQ(decode_frame(bytes, {}).frame, frame);
}

TEST(FrameDecoder, TellsHowLongTheFrameWillBe) {
    const std::string bytes = request("class", "content");
    EXPECT_EQ(decode_frame(bytes.substr(0, 21), {}).size, 0U);
    EXPECT_EQ(decode_frame(bytes.substr(0, 22), {}).size, bytes.size());
}

TEST(FrameDecoder, ChecksTheCrcOfProtocol2) {
    const std::string bytes = request("class", "content", kCrcRequest);
    ASSERT_EQ(bytes.size(), 24U + 5U + 7U + 4U);
    EXPECT_EQ(outcome_of(bytes), Decode::message);
    for (std::size_t at = 24; at < bytes.size(); ++at) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        EXPECT_EQ(outcome_of(flipped), Decode::broken) << at;
    }
}

TEST(FrameReader, CutsFramesThatArriveInAnyPieces) {
    std::string stream;
    for (int i = 0; i < 20; ++i) {
        stream += request("class", std::string(static_cast<std::size_t>(i) * 7, 'x'),
                          i % 2 == 0 ? FrameHead{} : kCrcRequest);
    }
    for (std::size_t piece = 1; piece < 130; ++piece) {
        FrameReader reader{{}};
        std::size_t frames = 0;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            const std::string bytes = stream.substr(at, piece);
            reader.feed(bytes);
            while (reader.next().outcome == Decode::message) {
                ++frames;
            }
        }
        EXPECT_EQ(frames, 20U) << piece;
        EXPECT_EQ(reader.buffered(), 0U) << piece;
    }
}

TEST(FrameReader, KeepsNoMoreThanTheIncompleteFrame) {
    const std::string bytes = request("class", std::string(1000, 'x'));
    FrameReader reader{{}};
    const std::string fed = bytes + bytes + bytes.substr(0, 10);
    reader.feed(fed);
    EXPECT_EQ(reader.next().outcome, Decode::message);
    EXPECT_EQ(reader.next().outcome, Decode::message);
    EXPECT_EQ(reader.next().outcome, Decode::need_more);
    EXPECT_EQ(reader.buffered(), 10U);
}

TEST(FrameReader, StaysLostAfterGarbage) {
    const std::string good = request("class", "content");
    FrameReader reader{{}};
    const std::string fed = good + "garbage";
    reader.feed(fed);
    EXPECT_EQ(reader.next().outcome, Decode::message);
    EXPECT_EQ(reader.next().outcome, Decode::not_mine);
    reader.feed(good);
    EXPECT_EQ(reader.next().outcome, Decode::not_mine);
    EXPECT_EQ(reader.buffered(), 0U);
}

TEST(FrameEncoder, WritesHeartbeatsAsJavaDoes) {
    std::string beat;
    append_heartbeat(beat, {}, 0x01020304);
    EXPECT_EQ(
        beat,
        std::string("\x01\x01\0\0\x01\x01\x02\x03\x04\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 22));
    std::string ack;
    append_heartbeat_ack(ack, decode_frame(beat, {}).frame.head);
    EXPECT_EQ(ack, std::string("\x01\0\0\0\x01\x01\x02\x03\x04\x01\0\0\0\0\0\0\0\0\0\0", 20));
}

TEST(FrameEncoder, AnswersInTheProtocolOfTheRequest) {
    const FrameHead success = response_to(kCrcRequest, Status::success);
    EXPECT_TRUE(success.has_crc());
    EXPECT_EQ(success.request_id, 7);
    EXPECT_FALSE(response_to(kCrcRequest, Status::busy).has_crc());
    std::string bytes;
    append_bare_response(bytes, kCrcRequest, Status::busy);
    EXPECT_EQ(bytes.size(), 22U);
    EXPECT_EQ(decode_frame(bytes, {}).frame.head.status, Status::busy);
}

TEST(FrameEncoder, LetsManyConnectionsShareOneContent) {
    const std::string shared(100'000, 's');
    const std::uint32_t shared_crc = crc32(shared);
    for (std::int32_t id = 1; id < 4; ++id) {
        FrameHead head = kCrcRequest;
        head.request_id = id;
        const std::string own = "tail of " + std::to_string(id);
        std::string begin;
        append_frame_head(begin, head, "class", shared.size() + own.size());
        std::string end = own;
        append_crc(end, crc32(own, crc32_combine(crc32(begin), shared_crc, shared.size())));
        EXPECT_EQ(begin + shared + end, request("class", shared + own, head));
    }
}

}  // namespace
}  // namespace muster::bolt
