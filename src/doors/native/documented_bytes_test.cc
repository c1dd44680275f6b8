#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "doors/native_codec/native_codec.h"
#include "wire/bolt/frame_encoder.h"

// Holds the dumps of docs/protocol/native.md against what we send.
namespace muster::doors {
namespace {

// The bytes of the block that begins with "```hex NAME".
std::string documented(const std::string& name) {
    std::ifstream file(MUSTER_SOURCE_ROOT "/docs/protocol/native.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::string opening = "```hex " + name + "\n";
    const auto begin = page.find(opening);
    EXPECT_NE(begin, std::string::npos) << name;
    if (begin == std::string::npos) {
        return {};
    }
    const auto first = begin + opening.size();
    const std::string block = page.substr(first, page.find("```", first) - first);
    constexpr std::size_t kOffsetColumns = 6;
    constexpr std::size_t kHexColumns = 48;
    std::string bytes;
    for (std::size_t line = 0; line < block.size(); line = block.find('\n', line) + 1) {
        const std::string hex = block.substr(line + kOffsetColumns, kHexColumns);
        for (std::size_t i = 0; i + 1 < hex.size() && hex[i] != ' '; i += 3) {
            bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        }
    }
    return bytes;
}

std::string frame_of(const bolt::FrameHead& head, std::string_view class_name,
                     std::string_view content) {
    std::string out;
    bolt::append_frame(out, {.head = head, .class_name = class_name, .content = content});
    return out;
}

TEST(NativeProtocolPage, ShowsTheBytesOfARequest) {
    Publication publication{
        .id = RegistId("p-1"),
        .service = std::make_shared<const Service>(Service{.data_id = "orders"}),
        .order = {.version = 1, .timestamp_ms = 1'700'000'000'000},
        .zone = "a"};
    publication.boxes = {"10.0.0.7:80"};
    const msg::ClientMessage message =
        msg::RegisterPublishers{.request = msg::RequestId(1),
                                .publications = {std::make_shared<const Publication>(publication)}};
    EXPECT_EQ(documented("request"),
              frame_of({.request_id = 1, .codec = bolt::kCodecProtobuf, .timeout_ms = 3000},
                       native::class_name(message), native::encode(message)));
}

TEST(NativeProtocolPage, ShowsTheBytesOfAReply) {
    const bolt::FrameHead head{.type = bolt::FrameType::response,
                               .command = bolt::Command::response,
                               .request_id = 1,
                               .codec = bolt::kCodecProtobuf};
    const msg::RequestReply reply{.request = msg::RequestId(1),
                                  .outcomes = {{.id = RegistId("p-1"), .version = 1}}};
    EXPECT_EQ(documented("reply"), frame_of(head, native::kReplyClass, native::encode(reply)));
}

TEST(NativeProtocolPage, ShowsTheBytesOfAHeartbeat) {
    const bolt::FrameHead like{.codec = bolt::kCodecProtobuf};
    std::string beat;
    bolt::append_heartbeat(beat, like, 2);
    EXPECT_EQ(documented("heartbeat"), beat);
    bolt::FrameHead head = like;
    head.command = bolt::Command::heartbeat;
    head.request_id = 2;
    std::string ack;
    bolt::append_heartbeat_ack(ack, head);
    EXPECT_EQ(documented("heartbeat-ack"), ack);
}

}  // namespace
}  // namespace muster::doors
