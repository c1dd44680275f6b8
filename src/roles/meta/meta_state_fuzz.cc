// What the metas remember, from arbitrary bytes. The first byte chooses: 0 the rest is one command,
// 1 a snapshot, else a row of commands, each behind its length in one byte.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "roles/meta/meta_state.h"

namespace muster::meta {
namespace {

void check_restores(const MetaState& state) {
    MetaState copy;
    CHECK(copy.restore(state.snapshot()).has_value());
    CHECK(copy.snapshot() == state.snapshot());
}

void read_command(std::string_view bytes) {
    if (const auto command = decode_command(bytes)) {
        CHECK(encode_command(*command) == bytes);
    }
}

void read_snapshot(std::string_view bytes) {
    MetaState state;
    if (state.restore(bytes)) {
        check_restores(state);
    }
}

void apply_commands(std::string_view bytes) {
    MetaState state;
    Version ceiling;
    Epoch epoch;
    std::uint64_t index = 0;
    while (!bytes.empty() && index < 200) {
        const auto size = static_cast<std::uint8_t>(bytes.front());
        (void)decode_outcome(state.apply(raft::LogIndex(++index), bytes.substr(1, size)));
        bytes.remove_prefix(std::min<std::size_t>(bytes.size(), std::size_t{1} + size));
        CHECK(state.ceiling() >= ceiling && state.table().epoch >= epoch);
        ceiling = state.ceiling();
        epoch = state.table().epoch;
        for (const Slot& slot : state.table().slots) {
            CHECK(slot.floor <= ceiling);
        }
    }
    check_restores(state);
}

}  // namespace
}  // namespace muster::meta

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) {
        return 0;
    }
    switch (input.front()) {
        case 0: muster::meta::read_command(input.substr(1)); break;
        case 1: muster::meta::read_snapshot(input.substr(1)); break;
        default: muster::meta::apply_commands(input.substr(1)); break;
    }
    return 0;
}
