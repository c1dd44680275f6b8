#include "history/ring.h"

#include <algorithm>
#include <charconv>

namespace muster::history {
namespace {

constexpr std::string_view kSuffix = ".history";
constexpr std::size_t kDigits = 16;

std::string name_of(std::uint64_t number) {
    std::string digits(kDigits, '0');
    for (std::size_t i = kDigits; i-- > 0; number >>= 4U) {
        digits[i] = "0123456789abcdef"[number & 0xFU];
    }
    return digits.append(kSuffix);
}

// None: it is not a file of ours.
std::optional<std::uint64_t> number_of(std::string_view name) {
    if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number, 16);
    const bool whole = error == std::errc{} && end == name.data() + kDigits;
    return whole && number != UINT64_MAX ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<void> Ring::open() {
    auto files = folder_.list();
    MUSTER_TRY(files);
    for (Folder::File& file : *files) {
        const auto number = number_of(file.name);
        if (!number) {
            continue;
        }
        next_number_ = std::max(next_number_, *number + 1);
        auto index = index_of(file);
        if (!index) {
            ++counts_.failures;
            index = SegmentIndex{};  // it is there, takes room, and goes in its turn
        }
        segments_.push_back({.number = *number, .bytes = file.bytes, .index = *std::move(index)});
        bytes_ += file.bytes;
    }
    std::ranges::sort(segments_, {}, &Segment::number);
    make_room(0);
    return {};
}

Result<SegmentIndex> Ring::index_of(Folder::File& file) {
    const std::uint64_t tail = std::min<std::uint64_t>(file.bytes, kTrailerBytesMax);
    const auto end = folder_.read(file.name, file.bytes - tail, tail);
    MUSTER_TRY(end);
    if (auto index = decode_trailer(*end)) {
        return *std::move(index);
    }
    const auto whole = folder_.read(file.name, 0, kReadMax);
    if (!whole) {
        return std::unexpected(whole.error());
    }
    SegmentIndex index = SegmentIndex::of(*whole);
    const std::string trailer = encode_trailer(index);
    if (folder_.append(file.name, trailer)) {
        file.bytes += trailer.size();
    }
    index.services.shrink();
    return index;
}

Result<void> Ring::write(const Batch& batch, const HistoryLoss& lost) {
    merge(untold_, lost);
    if (batch.empty()) {
        return {};
    }
    const std::string block = encode_block(batch, untold_);
    if (const auto written = append(block); !written) {
        ++counts_.failures;
        counts_.lost_records += batch.records();
        merge(untold_,
              {.from_ms = batch.first_ms(), .to_ms = batch.last_ms(), .records = batch.records()});
        return written;
    }
    Segment& segment = segments_.back();
    segment.index.add(batch, untold_);
    untold_ = {};
    counts_.written_records += batch.records();
    counts_.written_bytes += block.size();
    if (segment.bytes >= options_.segment_bytes) {
        seal();
    }
    return {};
}

Result<void> Ring::append(const std::string& block) {
    if (!writing_) {
        segments_.push_back({.number = next_number_++, .bytes = 0, .index = {}});
        writing_ = true;
    }
    make_room(block.size());
    Segment& segment = segments_.back();
    Result<void> written;
    do {
        written = segments_.size() == 1 && folder_.spare_bytes() < block.size()
                      ? fail(Errc::io_error, "the disk is nearly full; what is left is for others")
                      : folder_.append(name_of(segment.number), block);
    } while (!written && drop_oldest());
    if (written) {
        segment.bytes += block.size();
        bytes_ += block.size();
    }
    return written;
}

// The segment that is written stays: what is lost then is the newest, and said.
void Ring::make_room(std::uint64_t bytes) {
    while ((bytes_ + bytes > options_.bytes_max || segments_.size() > options_.segments_max ||
            folder_.spare_bytes() < bytes) &&
           drop_oldest()) {
    }
}

bool Ring::drop_oldest() {
    if (segments_.size() <= (writing_ ? 1U : 0U)) {
        return false;
    }
    const Segment& oldest = segments_.front();
    if (!folder_.remove(name_of(oldest.number))) {
        ++counts_.failures;
        return false;
    }
    bytes_ -= oldest.bytes;
    segments_.pop_front();
    return true;
}

void Ring::seal() {
    Segment& segment = segments_.back();
    const std::string trailer = encode_trailer(segment.index);
    segment.index.services.shrink();
    writing_ = false;
    const std::string name = name_of(segment.number);
    if (!folder_.append(name, trailer)) {
        ++counts_.failures;  // it is read as one without
        return;
    }
    segment.bytes += trailer.size();
    bytes_ += trailer.size();
    if (!folder_.sync(name)) {
        ++counts_.failures;
    }
}

void Ring::close() {
    if (writing_ && segments_.back().bytes > 0) {
        seal();
    }
}

const Ring::Segment* Ring::newest_below(std::uint64_t number) const {
    const auto at = std::ranges::lower_bound(segments_, number, {}, &Segment::number);
    return at == segments_.begin() ? nullptr : &*std::prev(at);
}

Result<std::string> Ring::read(const Segment& segment) {
    return folder_.read(name_of(segment.number), 0, kReadMax);
}

std::int64_t Ring::oldest_ms() const {
    for (const Segment& segment : segments_) {
        if (segment.index.records > 0) {
            return segment.index.first_ms;
        }
    }
    return 0;
}

RingStats Ring::stats() const {
    RingStats stats = counts_;
    stats.bytes = bytes_;
    stats.segments = segments_.size();
    return stats;
}

}  // namespace muster::history
